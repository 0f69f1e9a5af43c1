package authring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// keyringBound is how long a keyring call may take beside its prompt.
const keyringBound = 30 * time.Second

// lookBound is how long a look may take that changes nothing: no longer than
// the keyring is waited for, since one that hangs is not up yet.
func (s *Session) lookBound() time.Duration {
	if s.config.keyringWait == 0 {
		return keyringBound
	}
	return min(keyringBound, max(s.config.keyringWait, lastTryBound))
}

// Keyrings returns the keyrings of this platform in order of preference.
func (s *Session) Keyrings() []keyring.Keyring { return slices.Clone(s.keyrings) }

// Keyring returns the keyring in use, or, while nothing is linked, the one
// that would be used. It prompts nobody. A recorded keyring that this build
// has not is a [*KeyringAccessError]; without any usable keyring the error is
// keyring.ErrAbsent.
func (s *Session) Keyring(ctx context.Context) (keyring.Keyring, error) {
	return s.keyringOf(ctx, s.Record(), "find the keyring")
}

// ChooseKeyring probes which keyring a new link would use: the one named with
// [WithKeyring], or else the best that can be used. It prompts nobody.
func (s *Session) ChooseKeyring(ctx context.Context) (keyring.Choice, error) {
	ctx, cancel := context.WithTimeout(ctx, s.lookBound())
	defer cancel()
	if s.config.keyringID == "" {
		// One that the record could not name would be no choice.
		able := slices.DeleteFunc(s.Keyrings(), func(k keyring.Keyring) bool { return s.layout.CheckKeyring(k.ID()) != nil })
		return keyring.Choose(ctx, able)
	}
	if err := s.layout.CheckKeyring(s.config.keyringID); err != nil {
		return keyring.Choice{}, err
	}
	return s.chooseNamed(ctx, s.config.keyringID)
}

// chooseNamed probes one keyring; one that cannot be used is an error.
func (s *Session) chooseNamed(ctx context.Context, id keyring.ID) (keyring.Choice, error) {
	k, err := s.byID(id)
	if err != nil {
		return keyring.Choice{}, err
	}
	choice := keyring.Choice{Probed: keyring.Probed{Keyring: k, Status: keyring.Probe(ctx, k)}}
	if status := choice.Status; !status.Availability.Usable() {
		kind := keyring.ErrUnavailable
		if status.Availability == keyring.Absent {
			kind = keyring.ErrAbsent
		}
		return choice, &keyring.Error{Op: "use", Keyring: k.ID(), Name: status.Name, Kind: kind, Detail: status.Detail}
	}
	return choice, nil
}

func (s *Session) byID(id keyring.ID) (keyring.Keyring, error) {
	for _, k := range s.keyrings {
		if k.ID() == id {
			return k, nil
		}
	}
	if s.config.find != nil {
		if k, ok := s.config.find(id); ok {
			return k, nil
		}
	}
	return nil, &keyring.Error{Op: "use", Keyring: id, Kind: keyring.ErrAbsent, Detail: "this build has no keyring of that name"}
}

// keyringOf returns the keyring that rec names. Nothing recorded means, as in
// the seed, the best that can be used.
func (s *Session) keyringOf(ctx context.Context, rec record.Record, op string) (keyring.Keyring, error) {
	var k keyring.Keyring
	var err error
	if rec.Keyring != "" {
		k, err = s.byID(rec.Keyring)
	} else {
		var choice keyring.Choice
		choice, err = s.ChooseKeyring(ctx)
		k = choice.Keyring
	}
	if err != nil {
		return nil, s.accessError(op, err)
	}
	return k, nil
}

// key names the item of a link.
func (s *Session) key(accountID string) keyring.Key {
	return keyring.Key{Service: s.layout.Service(), User: record.UserName(s.name, accountID)}
}

// get reads the secret of the link that rec describes.
func (s *Session) get(ctx context.Context, k keyring.Keyring, rec record.Record, prompt keyring.Prompt) (secret.Secret, error) {
	value, err := s.getKey(ctx, k, s.key(rec.AccountID), prompt)
	for _, user := range s.layout.OldUserNames(s.name, rec.AccountID) {
		if !errors.Is(err, keyring.ErrNotFound) {
			break
		}
		// An older Maestral named the item otherwise. It is read in place.
		var old secret.Secret
		if old, err = s.getKey(ctx, k, keyring.Key{Service: s.layout.Service(), User: user}, prompt); err == nil {
			value = old
		}
	}
	if err == nil && value.IsZero() {
		err = keyring.ErrNotFound
	}
	if err != nil {
		return secret.Secret{}, s.accessError("load the token", err)
	}
	return value, nil
}

func (s *Session) getKey(ctx context.Context, k keyring.Keyring, key keyring.Key, prompt keyring.Prompt) (secret.Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, s.lookBound()+time.Duration(prompt))
	defer cancel()
	defer s.waitingForKeyring(k)()
	return k.Get(ctx, key, prompt)
}

// put writes a secret and reads it back: some keyrings lose writes.
func (s *Session) put(ctx context.Context, k keyring.Keyring, key keyring.Key, value secret.Secret, prompt keyring.Prompt) error {
	ctx, cancel := context.WithTimeout(ctx, keyringBound+time.Duration(prompt))
	defer cancel()
	defer s.waitingForKeyring(k)()
	if err := k.Set(ctx, key, value, prompt); err != nil {
		return err
	}
	back, err := k.Get(ctx, key, prompt)
	if err != nil {
		return fmt.Errorf("could not read back what was written: %w", err)
	}
	if !back.Equal(value) {
		return &keyring.Error{Op: "write", Keyring: k.ID(), Kind: keyring.ErrUnavailable, Detail: "it returns another secret than the one written"}
	}
	return nil
}

func (s *Session) remove(ctx context.Context, k keyring.Keyring, key keyring.Key, prompt keyring.Prompt) error {
	ctx, cancel := context.WithTimeout(ctx, keyringBound+time.Duration(prompt))
	defer cancel()
	defer s.waitingForKeyring(k)()
	return k.Delete(ctx, key, prompt)
}

func (s *Session) waitingForKeyring(k keyring.Keyring) (done func()) {
	return s.waiting(k.ID(), func() string {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if name := keyring.Probe(ctx, k).Name; name != "" {
			return name
		}
		return string(k.ID())
	})
}

// accessError gives a keyring's error the link and the state it means.
func (s *Session) accessError(op string, err error) error {
	e := &KeyringAccessError{Op: op, Config: s.name, State: Unavailable, Err: err}
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		e.State = SecretMissing
		e.Err = fmt.Errorf("%w: %w", ErrSecretMissing, err)
	case errors.Is(err, keyring.ErrLocked):
		e.State = Locked
	}
	return e
}
