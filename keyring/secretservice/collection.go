package secretservice

import (
	"context"
	"errors"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
)

const (
	// collectionLabel is what Python's keyring and libsecret call a default
	// collection that they create.
	collectionLabel = "Default keyring"

	detailNoCollection = "it has no default keyring (open or create one in the password manager, or log in again, and try again)"
)

// found is what the default collection holds of a key.
type found struct {
	collection dbus.ObjectPath
	items      []item // the one to read comes first
}

// find looks a key up in the default collection, which is unlocked before if
// need be. The error is [errNoCollection] where there is none.
func (l *link) find(ctx context.Context, key keyring.Key, prompt keyring.Prompt) (found, error) {
	collection := defaultPath
	paths, locked, err := l.search(ctx, collection, key)
	if isGone(err) {
		if collection, err = l.resolve(ctx); err != nil {
			return found{}, err
		}
		paths, locked, err = l.search(ctx, collection, key)
	}
	if err != nil {
		return found{}, err
	}
	if locked {
		// The path itself: Unlock need not know aliases.
		if collection, err = l.resolve(ctx); err != nil {
			return found{}, err
		}
		if err := l.unlock(ctx, prompt, collection); err != nil {
			return found{}, err
		}
		if paths, locked, err = l.search(ctx, collection, key); err != nil {
			return found{}, err
		}
	}
	if len(paths) == 0 && !locked {
		// It may have been locked between the two answers, and a locked
		// KeePassXC finds nothing.
		locked, err = l.isLocked(ctx, collection)
	}
	if err == nil && locked {
		err = &keyring.Error{Kind: keyring.ErrLocked}
	}
	if err != nil {
		return found{}, err
	}
	items, err := l.describe(ctx, paths, key)
	return found{collection, items}, err
}

// searchRequest asks one collection for items. Not the whole service: that
// would look into all collections, and blocks in KeePassXC until its user has
// unlocked some database.
func (l *link) searchRequest(collection dbus.ObjectPath, key keyring.Key) request {
	return l.request(collection, collectionIface, "SearchItems", map[string]string{
		attributeService: key.Service, attributeUser: key.User,
	})
}

// search asks one collection, and whether it was locked just before.
func (l *link) search(ctx context.Context, collection dbus.ObjectPath, key keyring.Key) ([]dbus.ObjectPath, bool, error) {
	answers := l.askAll(ctx,
		l.request(collection, propertiesIface, "Get", collectionIface, "Locked"),
		l.searchRequest(collection, key))
	if answers[0].err != nil {
		return nil, false, answers[0].err
	}
	locked, err := decodeProperty[bool](answers[0].body)
	if err != nil {
		return nil, false, err
	}
	if answers[1].err != nil {
		if locked || isError(answers[1].err, errNameIsLocked) {
			return nil, true, nil
		}
		return nil, false, answers[1].err
	}
	paths, err := decodeItems(answers[1].body)
	return paths, locked, err
}

func (l *link) isLocked(ctx context.Context, collection dbus.ObjectPath) (bool, error) {
	body, err := l.ask(ctx, l.request(collection, propertiesIface, "Get", collectionIface, "Locked"))
	if err != nil {
		return false, err
	}
	return decodeProperty[bool](body)
}

// resolve returns the collection that the user calls the default one, or that
// of the login where no default has been chosen.
func (l *link) resolve(ctx context.Context) (dbus.ObjectPath, error) {
	for _, alias := range []string{"default", "login"} {
		body, err := l.ask(ctx, l.request(servicePath, serviceIface, "ReadAlias", alias))
		if err != nil {
			return "", err
		}
		path, err := decodePath(body, 0)
		if err != nil {
			return "", err
		}
		if path != noPath {
			return path, nil
		}
	}
	return "", errNoCollection
}

// createCollection makes the default collection, which its user is asked for:
// they choose its password.
func (l *link) createCollection(ctx context.Context, prompt keyring.Prompt) (dbus.ObjectPath, error) {
	if prompt <= keyring.NoPrompt {
		return "", errNoCollection
	}
	body, err := l.ask(ctx, l.request(servicePath, serviceIface, "CreateCollection",
		map[string]dbus.Variant{collectionIface + ".Label": dbus.MakeVariant(collectionLabel)}, "default"))
	if err != nil {
		return "", err
	}
	return l.created(ctx, body, prompt)
}

// created returns the object that an answer of CreateCollection or CreateItem
// is about: named at once, or by the prompt that comes before.
func (l *link) created(ctx context.Context, body []any, prompt keyring.Prompt) (dbus.ObjectPath, error) {
	path, err1 := decodePath(body, 0)
	question, err2 := decodePath(body, 1)
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	if question != noPath {
		result, err := l.finish(ctx, question, prompt)
		if err != nil {
			return "", err
		}
		if path, err = decodePath([]any{result.Value()}, 0); err != nil {
			return "", err
		}
	}
	if path == noPath {
		return "", errAnswer
	}
	return path, nil
}
