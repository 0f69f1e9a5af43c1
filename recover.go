package authring

import (
	"context"
	"errors"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

// recover completes, or forgets, a link that a process was saving when it
// died. The caller holds the link's lock. If the keyring holds the secret that
// was to be saved, only the record is missing, and it is written; if not, the
// link before it stands. While the keyring cannot be read nothing is decided,
// and the error says why.
func (s *Session) recover(ctx context.Context, prompt keyring.Prompt) error {
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
		if err := s.layout.Save(s.name, intent.Record); err != nil {
			return err
		}
		s.remember(record.Event{What: record.EventLinked, Keyring: k.ID(), Fingerprint: intent.Fingerprint, Detail: "completed after the process that linked had died"}, nil)
	}
	return s.layout.DropIntent(s.name)
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
