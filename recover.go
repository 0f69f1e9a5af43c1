package authring

import (
	"context"
	"errors"
	"time"

	"github.com/authring/authring/internal/killpoint"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

// recover settles what a process left that died while it changed the link. The
// caller holds the link's lock. While the keyring cannot be read nothing is
// decided, and the error says why.
func (s *Session) recover(ctx context.Context, prompt keyring.Prompt) error {
	if err := s.recoverLink(ctx, prompt); err != nil {
		return err
	}
	return s.recoverGrant(ctx, prompt)
}

// recoverToUse is recover for those who are about to use the link. A move to a
// keyring that cannot be read keeps nobody from it: the link is still where it
// was, and the note says that it was used there.
func (s *Session) recoverToUse(ctx context.Context) error {
	if err := s.recoverLink(ctx, keyring.NoPrompt); err != nil {
		intent, ok, noteErr := s.layout.LoadIntent(s.name)
		rec, recordErr := s.layout.Load(s.name)
		var access *KeyringAccessError
		if ctx.Err() != nil || !ok || noteErr != nil || recordErr != nil || !intent.Unsettled(rec) || !errors.As(err, &access) {
			return err
		}
		if !intent.Used {
			intent.Used = true
			if err := s.layout.SaveIntent(s.name, intent); err != nil {
				return err
			}
		}
		s.config.logger.Debug("a move cannot be settled yet", "config", s.name, "error", err)
	}
	return s.recoverGrant(ctx, keyring.NoPrompt)
}

// recoverLink completes, or forgets, a link that was being saved. If the
// keyring holds the secret that was to be saved, only the record is missing,
// and it is written, and the item of the link before it is deleted; if not, the
// link before it stands. So it does where it was used since, and its secret has
// become another: the copy is deleted.
func (s *Session) recoverLink(ctx context.Context, prompt keyring.Prompt) error {
	intent, ok, err := s.layout.LoadIntent(s.name)
	if err != nil {
		s.config.logger.Debug("the note of a link cannot be read", "config", s.name, "error", err)
		return nil
	}
	if !ok {
		return nil
	}
	k, err := s.keyringOf(ctx, intent.Record, "complete the link")
	if err != nil {
		return err
	}
	held, err := s.get(ctx, k, intent.Record, prompt)
	if err != nil && !errors.Is(err, ErrSecretMissing) {
		return err
	}
	if err == nil && s.fingerprint(held) == intent.Fingerprint {
		stale, err := s.isStale(ctx, intent, prompt)
		if err != nil {
			return err
		}
		if stale {
			s.dropCopy(ctx, k, intent)
			return s.layout.DropIntent(s.name)
		}
		rec, err := s.completed(intent)
		if err != nil {
			return err
		}
		if err := s.layout.Save(s.name, rec); err != nil {
			return err
		}
		killpoint.Here("recover: record written")
		event := record.Event{What: record.EventLinked, Keyring: k.ID(), Fingerprint: intent.Fingerprint, Detail: "completed after the process that linked had died"}
		if intent.Migration {
			event.What, event.Detail = record.EventMigrated, "from "+string(intent.OldKeyring)+"; completed after the process that moved it had died"
		}
		s.remember(event, nil)
		if intent.OldKeyring != "" {
			_ = s.removeOld(ctx, intent.OldKeyring, intent.OldAccountID) // told as an event
		}
	}
	return s.layout.DropIntent(s.name)
}

// isStale reports whether what a move has written was replaced since, where the
// link stayed.
func (s *Session) isStale(ctx context.Context, intent record.Intent, prompt keyring.Prompt) (bool, error) {
	if !intent.Used {
		return false, nil
	}
	rec, err := s.layout.Load(s.name)
	if err != nil || !intent.Unsettled(rec) {
		return false, err
	}
	k, err := s.keyringOf(ctx, rec, "load the token")
	if err != nil {
		return false, err
	}
	held, err := s.get(ctx, k, rec, prompt)
	if errors.Is(err, ErrSecretMissing) {
		return false, nil
	}
	return err == nil && s.fingerprint(held) != intent.Fingerprint, err
}

// dropCopy deletes what a move that is given up has written.
func (s *Session) dropCopy(ctx context.Context, k keyring.Keyring, intent record.Intent) {
	err := s.remove(ctx, k, s.key(intent.Record.AccountID), keyring.NoPrompt)
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		s.emit(Event{Kind: EventLeftover, Keyring: k.ID(), Text: "the copy of the secret could not be deleted", Err: err})
	}
}

// completed is the record that an intent is about. What the provider said of
// the grant is no part of the note, and is still true of one that only moves.
func (s *Session) completed(intent record.Intent) (record.Record, error) {
	rec := intent.Record
	if intent.Migration {
		now, err := s.layout.Load(s.name)
		if err != nil {
			return rec, err
		}
		if now.AccountID == rec.AccountID {
			rec.Revoked = now.Revoked
		}
	}
	return rec, nil
}

// removeOld deletes the item of a link that another one, in another place, has
// replaced.
func (s *Session) removeOld(ctx context.Context, id keyring.ID, accountID string) error {
	k, err := s.byID(id)
	if err == nil {
		for _, key := range s.ownKeys(id, accountID) {
			if one := s.remove(ctx, k, key, keyring.NoPrompt); one != nil && !errors.Is(one, keyring.ErrNotFound) {
				err = one
			}
		}
	}
	if err != nil {
		s.emit(Event{Kind: EventLeftover, Keyring: id, Text: "the earlier secret could not be deleted", Err: err})
	}
	return err
}

// ownKeys names the items in which a keyring may hold the secret of this link,
// and of no other: the names that old versions of Maestral gave are those of
// the account, which several config names may have.
func (s *Session) ownKeys(id keyring.ID, accountID string) []keyring.Key {
	keys := []keyring.Key{s.key(accountID)}
	old := s.layout.OldUserNames(s.name, accountID)
	if len(old) == 0 {
		return keys
	}
	names, err := s.layout.List()
	for _, name := range names {
		if name == s.name || err != nil {
			continue
		}
		var other record.Record
		if other, err = s.layout.Load(name); err == nil && other.AccountID == accountID && (other.Keyring == id || other.Keyring == "") {
			return keys
		}
	}
	if err != nil {
		return keys // whose it is cannot be told
	}
	for _, user := range old {
		keys = append(keys, keyring.Key{Service: s.layout.Service(), User: user})
	}
	return keys
}

// recoverGrant forgets the revocation of the grant that the link lives on: an
// unlink, or a relink, that was killed before it had deleted or replaced the
// secret. It has to be done before the refresh token is rotated, since
// afterwards nothing would tell that it is the same grant, and a retry would
// end the link.
func (s *Session) recoverGrant(ctx context.Context, prompt keyring.Prompt) error {
	entries, err := s.layout.Revocations()
	if err != nil {
		s.config.logger.Debug("some notes of revocations cannot be read", "config", s.name, "error", err)
	}
	for _, entry := range entries {
		if entry.Config != s.name || entry.Provider != s.config.provider.Name {
			continue
		}
		err := s.forgetIfUsed(ctx, entry, prompt)
		if err != nil && s.config.provider.Replay != provider.ReplayReusable {
			return s.accessError("look for the grant", err)
		}
	}
	return nil
}

func (s *Session) forgetIfUsed(ctx context.Context, entry record.PendingRevocation, prompt keyring.Prompt) error {
	k, err := s.byID(entry.Keyring)
	if err != nil {
		return nil // and so is not the keyring of the link
	}
	key := keyring.Key{Service: s.layout.Service(), User: entry.User}
	value, err := s.getKey(ctx, k, key, prompt)
	if errors.Is(err, keyring.ErrNotFound) {
		return s.layout.RemoveRevocation(entry.ID)
	}
	if err != nil {
		return err
	}
	used, err := s.inUse(ctx, entry, value)
	if err != nil || !used {
		return err
	}
	if err := s.remove(ctx, k, key, prompt); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return err
	}
	killpoint.Here("recover: revocation forgotten")
	return s.layout.RemoveRevocation(entry.ID)
}

// recoverIfFree is recover for those who only look: where another process
// holds the lock, the link is being saved at this moment.
func (s *Session) recoverIfFree(ctx context.Context) {
	if _, ok, err := s.layout.LoadIntent(s.name); err != nil || !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	unlock, err := s.lock(ctx)
	if err != nil {
		return
	}
	defer unlock()
	if err := s.recover(ctx, keyring.NoPrompt); err != nil {
		s.config.logger.Debug("could not complete the link", "config", s.name, "error", err)
	}
}
