package secretservice

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
)

// What Python's keyring library writes, version 23.9 and others; see its
// backends/SecretService.py.
const (
	attributeService     = "service"
	attributeUser        = "username"
	attributeApplication = "application"
	application          = "Python keyring library"
)

// maxItems bounds how many items of one key are looked at. More than a few
// are a fault already.
const maxItems = 128

// item is one item of a key.
type item struct {
	path     dbus.ObjectPath
	modified uint64 // seconds
	ours     bool   // has the attribute that Python's keyring and we write
}

// describe keeps those paths that are items of key, and puts the one to read
// first.
func (l *link) describe(ctx context.Context, paths []dbus.ObjectPath, key keyring.Key) ([]item, error) {
	requests := make([]request, len(paths))
	for i, path := range paths {
		requests[i] = l.request(path, propertiesIface, "GetAll", itemIface)
	}
	var items []item
	for i, answer := range l.askAll(ctx, requests...) {
		if isGone(answer.err) {
			continue
		}
		if answer.err != nil {
			return nil, answer.err
		}
		it, ok, err := decodeItem(answer.body, key)
		if err != nil {
			return nil, err
		}
		if ok {
			it.path = paths[i]
			items = append(items, it)
		}
	}
	order(items)
	return items, nil
}

// decodeItem reads the properties of an item. It is not ok if the item is one
// of another key: a provider may compare in its own way.
func decodeItem(body []any, key keyring.Key) (it item, ok bool, err error) {
	properties, err := decodeAt[map[string]dbus.Variant](body, 0)
	if err != nil {
		return item{}, false, err
	}
	attributes, ok := properties["Attributes"].Value().(map[string]string)
	if !ok {
		return item{}, false, fmt.Errorf("%w: an item without attributes", errAnswer)
	}
	if !isOf(attributes, key) {
		return item{}, false, nil
	}
	modified, _ := properties["Modified"].Value().(uint64)
	return item{modified: modified, ours: attributes[attributeApplication] == application}, true, nil
}

func isOf(attributes map[string]string, key keyring.Key) bool {
	return attributes[attributeService] == key.Service && attributes[attributeUser] == key.User
}

// order puts the item to read first: the newest. The time has no more than
// seconds; of those modified in the same one, an item with our attributes is
// the newest: an older one would have been replaced by it.
func order(items []item) {
	slices.SortStableFunc(items, func(a, b item) int {
		if c := cmp.Compare(b.modified, a.modified); c != 0 {
			return c
		}
		switch {
		case a.ours == b.ours:
			return 0
		case a.ours:
			return -1
		default:
			return 1
		}
	})
}

// decodeItems returns the paths of an answer to Collection.SearchItems.
func decodeItems(body []any) ([]dbus.ObjectPath, error) {
	paths, err := decodeAt[[]dbus.ObjectPath](body, 0)
	if err != nil {
		return nil, err
	}
	if len(paths) > maxItems {
		return nil, fmt.Errorf("%w: %d items of one name", errAnswer, len(paths))
	}
	for _, path := range paths {
		if !path.IsValid() {
			return nil, fmt.Errorf("%w: no object path", errAnswer)
		}
	}
	return paths, nil
}

// read returns the secret of an item, which is unlocked before if need be:
// KeePassXC asks for each.
func (l *link) read(ctx context.Context, s *session, path dbus.ObjectPath, prompt keyring.Prompt) ([]byte, error) {
	value, err := l.readUnlocked(ctx, s, path)
	if isError(err, errNameIsLocked) {
		if err := l.unlock(ctx, prompt, path); err != nil {
			return nil, err
		}
		value, err = l.readUnlocked(ctx, s, path)
	}
	return value, err
}

func (l *link) readUnlocked(ctx context.Context, s *session, path dbus.ObjectPath) ([]byte, error) {
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	body, err := l.ask(ctx, l.request(path, itemIface, "GetSecret", s.path))
	if err != nil {
		return nil, err
	}
	in, err := decodeSecret(body)
	if err != nil {
		return nil, err
	}
	return s.open(in)
}

// create writes an item, in place of one with the same attributes.
func (l *link) create(ctx context.Context, s *session, collection dbus.ObjectPath, key keyring.Key, value []byte, prompt keyring.Prompt) (dbus.ObjectPath, error) {
	if err := s.wait(ctx); err != nil {
		return "", err
	}
	sealed, err := s.seal(value)
	if err != nil {
		return "", err
	}
	body, err := l.ask(ctx, l.request(collection, collectionIface, "CreateItem", map[string]dbus.Variant{
		itemIface + ".Label": dbus.MakeVariant("Password for '" + key.User + "' on '" + key.Service + "'"),
		itemIface + ".Attributes": dbus.MakeVariant(map[string]string{
			attributeService: key.Service, attributeUser: key.User, attributeApplication: application,
		}),
	}, sealed, true))
	if err != nil {
		return "", err
	}
	return l.created(ctx, body, prompt)
}

// overwrite changes the secret of an item, which is unlocked before if need
// be.
func (l *link) overwrite(ctx context.Context, s *session, path dbus.ObjectPath, value []byte, prompt keyring.Prompt) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	sealed, err := s.seal(value)
	if err != nil {
		return err
	}
	set := l.request(path, itemIface, "SetSecret", sealed)
	_, err = l.ask(ctx, set)
	if isError(err, errNameIsLocked) {
		if err := l.unlock(ctx, prompt, path); err != nil {
			return err
		}
		_, err = l.ask(ctx, set)
	}
	return err
}

// remove deletes an item.
func (l *link) remove(ctx context.Context, path dbus.ObjectPath, prompt keyring.Prompt) error {
	body, err := l.ask(ctx, l.request(path, itemIface, "Delete"))
	if err != nil {
		return err
	}
	question, err := decodePath(body, 0)
	if err != nil || question == noPath {
		return err
	}
	_, err = l.finish(ctx, question, prompt)
	return err
}
