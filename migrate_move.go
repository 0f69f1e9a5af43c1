package authring

import (
	"context"
	"errors"

	"github.com/authring/authring/internal/killpoint"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// run does the rest under the lock of the link.
func (m *migration) run(ctx context.Context) error {
	s := m.s
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	earlier, _, err := s.layout.LoadIntent(s.name)
	if err != nil {
		s.config.logger.Debug("the note of a link cannot be read", "config", s.name, "error", err)
	}
	abandoned := s.recover(ctx, keyring.NoPrompt)
	rec, err := s.reload()
	if err != nil {
		return err
	}
	if abandoned != nil {
		// An earlier move, to a keyring that is gone since, is given up for
		// this one.
		if stays, cut, _ := s.layout.LoadIntent(s.name); !cut || !stays.Migration || rec.Keyring == stays.Record.Keyring {
			return abandoned
		}
	}
	if rec.Empty() {
		return ErrNotLinked
	}
	from, err := s.keyringOf(ctx, rec, "load the token")
	if err != nil {
		return err
	}
	m.result = Migrated{
		AccountID: rec.AccountID, From: from.ID(), To: m.to, ToName: m.result.ToName,
		FromName: s.probeName(ctx, from), Plaintext: m.to == keyring.Plaintext,
	}
	if from.ID() == m.to && rec.Keyring == m.to {
		m.settled(ctx, earlier, abandoned)
		return nil
	}
	if err := m.move(ctx, rec, from); err != nil {
		return err
	}
	if abandoned != nil && earlier.Record.Keyring != m.to {
		m.copyStays(earlier, abandoned)
	}
	return nil
}

// settled is for a link that turned out to be where it is to be: recover has
// just ended a move that was cut short, or another one is given up.
func (m *migration) settled(ctx context.Context, earlier record.Intent, abandoned error) {
	s := m.s
	m.result.Already = true
	switch {
	case abandoned != nil:
		m.copyStays(earlier, abandoned)
		if err := s.layout.DropIntent(s.name); err != nil {
			s.config.logger.Debug("could not remove the note of a move", "config", s.name, "error", err)
		}
	case earlier.Migration && earlier.Record.Keyring == m.to:
		m.result.Already, m.result.From = false, earlier.OldKeyring
		if k, err := s.byID(earlier.OldKeyring); err == nil {
			m.result.FromName = s.probeName(ctx, k)
		}
	}
}

// copyStays tells of the keyring that a move was given up to, and that may hold
// the secret by now.
func (m *migration) copyStays(earlier record.Intent, cause error) {
	m.s.emit(Event{Kind: EventLeftover, Keyring: earlier.Record.Keyring, Text: "the secret may have been written", Err: cause})
}

// move writes the secret and the record, or neither, and tidies up.
func (m *migration) move(ctx context.Context, rec record.Record, from keyring.Keyring) error {
	s := m.s
	value, unsaved, err := m.current(ctx, rec, from)
	if err != nil {
		return err
	}
	// A note of a revocation is known for one of this link's own grant by
	// the keyring that both are in.
	if err := s.forgetUsed(ctx, from.ID()); err != nil {
		return s.accessError("look for the grant", err)
	}
	key := s.key(rec.AccountID)
	stale, err := s.getKey(ctx, m.target, key, keyring.NoPrompt)
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return m.refused(err)
	}
	fingerprints, err := s.fingerprinter()
	if err != nil {
		return err
	}
	old := rec
	rec.Keyring = m.to
	// From here on a process that dies leaves a move that is completed, or
	// that was not begun: see recover.
	intent := record.Intent{
		Record: rec, Fingerprint: fingerprints.Of(value), Migration: true,
		OldAccountID: old.AccountID, OldKeyring: from.ID(),
	}
	if err := s.layout.SaveIntent(s.name, intent); err != nil {
		return err
	}
	killpoint.Here("migrate: noted")
	if err := s.put(ctx, m.target, key, value, s.config.prompt); err != nil {
		m.undo(key, stale)
		return m.refused(err)
	}
	killpoint.Here("migrate: secret written")
	if err := s.layout.Save(s.name, rec); err != nil {
		m.undo(key, stale)
		return err
	}
	killpoint.Here("migrate: record written")
	s.migrated(ctx, rec, unsaved)
	s.remember(record.Event{
		What: record.EventMigrated, Keyring: m.to, Fingerprint: intent.Fingerprint, Detail: "from " + string(from.ID()),
	}, nil)
	if m.result.Plaintext {
		s.emit(Event{Kind: EventPlaintext, Keyring: m.to, Text: "the secret is stored as plain text"})
	}
	m.result.Leftover = s.removeOld(ctx, from.ID(), rec.AccountID)
	killpoint.Here("migrate: old item deleted")
	if err := s.layout.DropIntent(s.name); err != nil {
		// What it names is done: it is found so, and removed, next time.
		s.config.logger.Debug("could not remove the note of a move", "config", s.name, "error", err)
	}
	killpoint.Here("migrate: done")
	return nil
}

// current is the secret to move: what the keyring holds, or, where that was
// used up and could not be replaced there, what this session has instead.
func (m *migration) current(ctx context.Context, rec record.Record, from keyring.Keyring) (value secret.Secret, unsaved *credentials, err error) {
	s := m.s
	if value, err = s.get(ctx, from, rec, keyring.NoPrompt); err != nil {
		return value, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.loaded; c != nil && c.unsaved && c.accountID == rec.AccountID && c.replaces.Equal(value) {
		return c.refresh, c, nil
	}
	return value, nil, nil
}

// migrated has the session go on with a link that was moved.
func (s *Session) migrated(ctx context.Context, rec record.Record, unsaved *credentials) {
	s.mu.Lock()
	s.record = rec
	if unsaved != nil && s.loaded == unsaved {
		saved := *unsaved
		saved.unsaved = false
		s.loaded = &saved
	}
	s.mu.Unlock()
	s.tellUnsaved(ctx)
}

// undo puts the keyring that was to be moved to back to what it held. It must
// run though the caller's context has ended.
func (m *migration) undo(key keyring.Key, stale secret.Secret) {
	s := m.s
	ctx, cancel := context.WithTimeout(context.Background(), keyringBound)
	defer cancel()
	var err error
	if stale.IsZero() {
		err = s.remove(ctx, m.target, key, keyring.NoPrompt)
	} else {
		err = s.put(ctx, m.target, key, stale, keyring.NoPrompt)
	}
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		s.emit(Event{Kind: EventLeftover, Keyring: m.to, Text: "the secret could not be taken back", Err: err})
	}
	if err := s.layout.DropIntent(s.name); err != nil {
		s.config.logger.Debug("could not remove the note of a move", "config", s.name, "error", err)
	}
}

// forgetUsed is recoverGrant for the notes of one keyring, all of which must be
// understood.
func (s *Session) forgetUsed(ctx context.Context, id keyring.ID) error {
	entries, err := s.layout.Revocations()
	if err != nil {
		s.config.logger.Debug("some notes of revocations cannot be read", "config", s.name, "error", err)
	}
	for _, entry := range entries {
		if entry.Config != s.name || entry.Keyring != id {
			continue
		}
		if err := s.forgetIfUsed(ctx, entry, keyring.NoPrompt); err != nil {
			return err
		}
	}
	return nil
}
