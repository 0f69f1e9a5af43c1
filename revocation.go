package authring

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/internal/killpoint"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// RetriedRevocation is the outcome of one revocation that was left for later.
type RetriedRevocation struct {
	Config    string
	AccountID string
	Done      bool  // the grant is not valid any more
	Err       error // why it is still to be revoked
}

// queueRevocation keeps the grant of a link that is being unlinked until it
// can be revoked: the secret in the keyring, and in a file only where to find
// it. The file goes first: an entry without its secret is harmless, a secret
// without its entry would be forgotten.
func (s *Session) queueRevocation(ctx context.Context, k keyring.Keyring, rec record.Record, value secret.Secret) (id string, err error) {
	id = rand.Text()
	entry := record.PendingRevocation{
		ID: id, Config: s.name, AccountID: rec.AccountID, Provider: s.config.provider.Name, AppKey: rec.AppKey,
		TokenAccessType: rec.TokenAccessType, Keyring: k.ID(), User: revocationUser(id), Since: time.Now().UTC().Truncate(time.Second),
	}
	if err := s.layout.AddRevocation(entry); err != nil {
		return "", fmt.Errorf("could not keep the revocation for later: %w", err)
	}
	killpoint.Here("revocation: noted")
	if err := s.put(ctx, k, keyring.Key{Service: s.layout.Service(), User: entry.User}, value, s.config.prompt); err != nil {
		_ = s.layout.RemoveRevocation(id)
		return "", fmt.Errorf("could not keep the grant for a later revocation: %w", err)
	}
	killpoint.Here("revocation: kept")
	return id, nil
}

// revocationUser is the user name of the item that holds a grant to be
// revoked.
func revocationUser(id string) string { return "revoke:" + id }

// RetryRevocations revokes the grants of all links of the app that could not
// be revoked when they were unlinked. It prompts nobody; with nothing pending
// it reads one folder. The error is about notes in that folder that cannot be
// read; the others are dealt with all the same.
func (s *Session) RetryRevocations(ctx context.Context) ([]RetriedRevocation, error) {
	entries, unreadable := s.layout.Revocations()
	var results []RetriedRevocation
	for _, entry := range entries {
		if entry.Provider != s.config.provider.Name {
			continue
		}
		result := RetriedRevocation{Config: entry.Config, AccountID: entry.AccountID}
		result.Done, result.Err = s.retryRevocation(ctx, entry)
		if result.Done || result.Err != nil {
			results = append(results, result)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return results, unreadable
}

// retryRevocation reports whether the grant of entry was revoked. An entry
// that has nothing to revoke is removed without a word. While another process
// changes the link, or has died changing it, nobody can tell whether the grant
// is in use: then it is left for later.
func (s *Session) retryRevocation(ctx context.Context, entry record.PendingRevocation) (done bool, err error) {
	unlock, free := s.lockIfFree(ctx, entry.Config)
	if !free {
		return false, nil
	}
	defer unlock()
	if entry.Config == s.name {
		if err := s.recover(ctx, keyring.NoPrompt); err != nil {
			return false, err
		}
	}
	if _, cut, _ := s.layout.LoadIntent(entry.Config); cut {
		return false, nil
	}
	k, err := s.byID(entry.Keyring)
	if err != nil {
		return false, err
	}
	key := keyring.Key{Service: s.layout.Service(), User: entry.User}
	value, err := s.getKey(ctx, k, key, keyring.NoPrompt)
	if errors.Is(err, keyring.ErrNotFound) {
		return false, s.layout.RemoveRevocation(entry.ID)
	}
	if err != nil {
		return false, err
	}
	used, err := s.inUse(ctx, entry, value)
	if err != nil {
		return false, err
	}
	if !used {
		err := s.revokeGrant(ctx, entry.AppKey, TokenAccessType(entry.TokenAccessType), value, func(renewed secret.Secret) error {
			return s.put(ctx, k, key, renewed, keyring.NoPrompt)
		})
		if err != nil {
			return false, err
		}
		killpoint.Here("revocation: done")
	}
	if err := s.remove(ctx, k, key, keyring.NoPrompt); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return !used, err
	}
	killpoint.Here("revocation: item deleted")
	return !used, s.layout.RemoveRevocation(entry.ID)
}

// lockIfFree takes the lock of any link, and does not wait long for it. Where
// there can be no locks it goes on without.
func (s *Session) lockIfFree(ctx context.Context, config string) (unlock func(), free bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	held, err := filelock.Acquire(ctx, s.layout.LockPath(config))
	if errors.Is(err, filelock.ErrUnsupported) {
		return func() {}, true
	}
	return func() { _ = held.Release() }, err == nil
}

// inUse reports whether a link still lives on a grant that waits to be
// revoked: an unlink that was killed half way leaves both. The link then
// stands, and can be unlinked again.
func (s *Session) inUse(ctx context.Context, entry record.PendingRevocation, value secret.Secret) (bool, error) {
	rec, err := s.layout.Load(entry.Config)
	if err != nil {
		return false, err
	}
	if rec.AccountID != entry.AccountID || rec.Keyring != entry.Keyring {
		return false, nil
	}
	k, err := s.byID(rec.Keyring)
	if err != nil {
		return false, err
	}
	key := keyring.Key{Service: s.layout.Service(), User: record.UserName(entry.Config, rec.AccountID)}
	current, err := s.getKey(ctx, k, key, keyring.NoPrompt)
	if errors.Is(err, keyring.ErrNotFound) {
		return false, nil
	}
	return err == nil && current.Equal(value), err
}
