package secretservice

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
)

// setAttempts is how often a write is begun anew because another program
// wrote or deleted the same item meanwhile.
const setAttempts = 4

// set stores value as the only item of key.
func (l *link) set(ctx context.Context, key keyring.Key, value []byte, prompt keyring.Prompt) error {
	s := l.openSession()
	for attempt := 1; ; attempt++ {
		kept, err := l.trySet(ctx, s, key, value, prompt)
		switch {
		case isGone(err) && attempt < setAttempts:
		case err != nil:
			return err
		case kept:
			return nil
		case attempt == setAttempts:
			return &keyring.Error{Kind: keyring.ErrUnavailable, Detail: "it did not keep what was written"}
		}
	}
}

// trySet writes first, looks whether that was kept, and removes other items of
// the key last: whenever it ends early, there is an item, and none that a read
// would prefer holds an older secret.
func (l *link) trySet(ctx context.Context, s *session, key keyring.Key, value []byte, prompt keyring.Prompt) (kept bool, err error) {
	found, err := l.find(ctx, key, prompt)
	if errors.Is(err, errNoCollection) {
		found.collection, err = l.createCollection(ctx, prompt)
	}
	if err != nil {
		return false, err
	}
	var written dbus.ObjectPath
	var before []byte
	if i := slices.IndexFunc(found.items, func(it item) bool { return it.ours }); i >= 0 {
		// In place: when another program made the item, KeePassXC asks its user
		// before CreateItem may replace it, and every process is another program.
		written = found.items[i].path
		before, _ = l.readUnlocked(ctx, s, written)
		err = l.overwrite(ctx, s, written, value, prompt)
	} else {
		written, err = l.create(ctx, s, found.collection, key, value, prompt)
	}
	if err != nil {
		return false, err
	}
	after, err := l.readUnlocked(ctx, s, written)
	switch {
	case isError(err, errNameIsLocked):
		// KeePassXC may want its user's consent even for what we wrote.
	case err != nil:
		return false, err
	case equal(after, value):
	case before != nil && !equal(after, before):
		// Another program wrote after us, which is as good as kept.
	default:
		return false, nil
	}
	return true, l.removeOthers(ctx, s, found.items, written, value, prompt)
}

// removeOthers removes the items that were there beside the one written. Only
// those: an item that appeared since is that of another writer, and were each
// to remove the other's, none would be left.
func (l *link) removeOthers(ctx context.Context, s *session, items []item, written dbus.ObjectPath, value []byte, prompt keyring.Prompt) error {
	for _, other := range items {
		if other.path == written {
			continue
		}
		err := l.remove(ctx, other.path, prompt)
		if err != nil && !isGone(err) {
			// Two items with the new secret do no harm, an old secret does.
			err = l.overwrite(ctx, s, other.path, value, prompt)
		}
		if err != nil && !isGone(err) {
			return err
		}
	}
	return nil
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
