package authring

import (
	"context"
	"errors"
	"fmt"

	"github.com/authring/authring/keyring"
)

// choose picks the keyring. A link that exists stays in its own unless the
// caller names another.
func (w *saving) choose(ctx context.Context) (keyring.Choice, error) {
	s := w.s
	if s.config.keyringID == "" && !w.old.Empty() && w.old.Keyring != "" {
		k, err := s.byID(w.old.Keyring)
		if err != nil {
			return keyring.Choice{}, s.accessError("save the token", err)
		}
		return keyring.Choice{Probed: keyring.Probed{Keyring: k, Status: keyring.Probe(ctx, k)}}, nil
	}
	choice, err := s.ChooseKeyring(ctx)
	if err != nil {
		return choice, s.accessError("save the token", err)
	}
	return choice, nil
}

// fallback returns plain text where the seed would use it: no keyring can be
// used, or the user denied access. A keyring that is merely locked, a named
// one, and one that a link already uses, are never replaced so.
func (w *saving) fallback(ctx context.Context, choice keyring.Choice, err error) keyring.Keyring {
	var access *KeyringAccessError
	if !errors.As(err, &access) || ctx.Err() != nil || choice.Keyring.ID() == keyring.Plaintext {
		return nil
	}
	if w.s.config.keyringID != "" || (!w.old.Empty() && w.old.Keyring != "") {
		return nil
	}
	if !errors.Is(err, keyring.ErrDismissed) && !errors.Is(err, keyring.ErrUnavailable) {
		return nil
	}
	k, missing := w.s.byID(keyring.Plaintext)
	if missing != nil {
		return nil
	}
	return k
}

func (w *saving) consent(ctx context.Context, reason error, passed []keyring.Probed) error {
	return w.s.askConsent(ctx, reason, passed)
}

// askConsent asks whether a secret may be stored as plain text, where there is
// somebody to ask.
func (s *Session) askConsent(ctx context.Context, reason error, passed []keyring.Probed) error {
	if s.config.consent == nil {
		return nil
	}
	ok, err := s.config.consent(ctx, PlaintextRequest{Reason: reason, Passed: passed})
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: %w", ErrPlaintextRefused, reason)
	}
	return nil
}

func errNoKeyring(passed []keyring.Probed) error {
	err := error(&keyring.Error{Op: "use", Name: "any keyring", Kind: keyring.ErrAbsent})
	for _, p := range passed {
		err = fmt.Errorf("%w; %s: %s", err, p.Keyring.ID(), p.Status.Detail)
	}
	return err
}
