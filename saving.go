package authring

import (
	"context"
	"errors"

	"github.com/authring/authring/internal/killpoint"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// saving is one write of a grant: the secret, read back, then the record.
type saving struct {
	s     *Session
	old   record.Record // what was linked before; empty if nothing
	rec   record.Record // what is to be linked
	value secret.Secret

	previous secret.Secret   // what the old link's item held, where it could be read
	from     keyring.Keyring // the old link's keyring
	queued   string          // the note by which the old grant is to be revoked
}

func (w *saving) run(ctx context.Context) (Saved, error) {
	choice, err := w.choose(ctx)
	if err != nil {
		return Saved{}, err
	}
	w.lookBack(ctx)
	chosen := ""
	if w.s.config.keyringID == keyring.Plaintext || w.old.Keyring == keyring.Plaintext {
		chosen = "plain text was chosen"
	}
	var reason error
	if choice.Keyring.ID() == keyring.Plaintext && chosen == "" {
		reason = errNoKeyring(choice.Passed)
		if err := w.consent(ctx, reason, choice.Passed); err != nil {
			return Saved{}, err
		}
	}
	err = w.write(ctx, choice.Keyring)
	if fallback := w.fallback(ctx, choice, err); fallback != nil {
		reason = err
		if err := w.consent(ctx, reason, choice.Passed); err != nil {
			return Saved{}, err
		}
		choice.Passed = append(choice.Passed, choice.Probed)
		choice.Probed = keyring.Probed{Keyring: fallback, Status: keyring.Probe(ctx, fallback)}
		err = w.write(ctx, fallback)
	}
	if err != nil {
		return Saved{}, err
	}
	saved := Saved{
		AccountID: w.rec.AccountID, Email: w.rec.Email, DisplayName: w.rec.DisplayName,
		Keyring: w.rec.Keyring, KeyringName: choice.Status.Name, Passed: choice.Passed,
		Plaintext: w.rec.Keyring == keyring.Plaintext, Reason: reason,
	}
	if saved.Plaintext {
		w.s.emit(Event{Kind: EventPlaintext, Keyring: keyring.Plaintext, Text: "the secret is stored as plain text", Err: reason})
	}
	return saved, nil
}

// lookBack reads what the link held before, to put it back if the record
// cannot be written, and to revoke it when it was replaced.
func (w *saving) lookBack(ctx context.Context) {
	if w.old.Empty() {
		return
	}
	k, err := w.s.keyringOf(ctx, w.old, "load the token")
	if err != nil {
		return
	}
	w.from = k
	if value, err := w.s.get(ctx, k, w.old, keyring.NoPrompt); err == nil {
		w.previous = value
	}
}

// write stores secret and record, or neither.
func (w *saving) write(ctx context.Context, k keyring.Keyring) error {
	s := w.s
	key := s.key(w.rec.AccountID)
	replaces := w.from != nil && w.from.ID() == k.ID() && w.old.AccountID == w.rec.AccountID
	if replaces && w.previous.IsZero() {
		// It could not be read without a prompt; writing would prompt too.
		switch value, err := s.get(ctx, k, w.old, s.config.prompt); {
		case errors.Is(err, ErrSecretMissing):
			replaces = false
		case err != nil:
			return err
		default:
			w.previous = value
		}
	}
	w.rec.Keyring = k.ID()
	fingerprints, err := s.fingerprinter()
	if err != nil {
		return err
	}
	w.queueOld(ctx)
	// From here on a process that dies leaves a link that is completed, or
	// the one before: see recover.
	intent := record.Intent{Record: w.rec, Fingerprint: fingerprints.Of(w.value)}
	if w.moves() {
		intent.OldAccountID, intent.OldKeyring = w.old.AccountID, w.from.ID()
	}
	if err := s.layout.SaveIntent(s.name, intent); err != nil {
		w.unqueue(ctx)
		return err
	}
	killpoint.Here("link: noted")
	if err := s.put(ctx, k, key, w.value, s.config.prompt); err != nil {
		w.undo(k, key, replaces)
		return s.accessError("save the token", err)
	}
	killpoint.Here("link: secret written")
	if err := s.layout.Save(s.name, w.rec); err != nil {
		w.undo(k, key, replaces)
		return err
	}
	killpoint.Here("link: record written")
	return nil
}

// undo puts the keyring back to what it held. It must run though the caller's
// context has ended.
func (w *saving) undo(k keyring.Keyring, key keyring.Key, replaces bool) {
	ctx, cancel := context.WithTimeout(context.Background(), keyringBound)
	defer cancel()
	var err error
	if replaces {
		err = w.s.put(ctx, k, key, w.previous, keyring.NoPrompt)
	} else {
		err = w.s.remove(ctx, k, key, keyring.NoPrompt)
	}
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		w.s.emit(Event{Kind: EventLeftover, Keyring: k.ID(), Text: "the new secret could not be taken back", Err: err})
	}
	w.unqueue(ctx)
	if err := w.s.layout.DropIntent(w.s.name); err != nil {
		w.s.config.logger.Debug("could not remove the note of a link", "config", w.s.name, "error", err)
	}
}

// moves reports whether the new link's item has another name or place than the
// old one's, which then is to be deleted.
func (w *saving) moves() bool {
	return w.from != nil && (w.from.ID() != w.rec.Keyring || w.old.AccountID != w.rec.AccountID)
}
