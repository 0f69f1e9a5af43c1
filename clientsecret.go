package authring

import (
	"context"
	"errors"
	"fmt"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// clientSecretKey names the keyring item of a provider's client secret. It
// belongs to the app, and not to one link.
func (s *Session) clientSecretKey() keyring.Key {
	return keyring.Key{Service: s.layout.Service(), User: "client:" + s.config.provider.Name}
}

// clientSecret returns the client secret, and asks nobody for it: the requests
// that need it are made while other processes wait.
func (s *Session) clientSecret(ctx context.Context) (secret.Secret, error) {
	return s.askClientSecret(ctx, keyring.NoPrompt)
}

// unlockClientSecret has the keyring of the client secret ask what it has to,
// so that clientSecret then gets it.
func (s *Session) unlockClientSecret(ctx context.Context) error {
	if s.config.provider.ClientAuth == provider.AuthNone || s.config.clientSecret != nil {
		return nil
	}
	_, err := s.askClientSecret(ctx, s.config.prompt)
	return err
}

func (s *Session) askClientSecret(ctx context.Context, prompt keyring.Prompt) (secret.Secret, error) {
	if s.config.clientSecret != nil {
		return s.config.clientSecret(ctx)
	}
	s.mu.Lock()
	known := s.password
	s.mu.Unlock()
	if !known.IsZero() {
		prompt = keyring.NoPrompt
	}
	const op = "load the client secret"
	var password secret.Secret
	k, err := s.byID(s.config.secretKeyring)
	if err == nil {
		password, err = s.getKey(ctx, k, s.clientSecretKey(), prompt)
	}
	switch {
	case errors.Is(err, keyring.ErrNotFound), err == nil && password.IsZero():
		return secret.Secret{}, fmt.Errorf("%w: the keyring %s has that of %s no more", ErrNoClientSecret, s.config.secretKeyring, s.config.provider.Title)
	case err != nil && !known.IsZero() && ctx.Err() == nil:
		// It may have been replaced since by another process, and a keyring
		// that cannot be read any more is no reason to do without.
		return known, nil
	case err != nil:
		return secret.Secret{}, s.accessError(op, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.password = password
	return password, nil
}

// SaveClientSecret stores the secret that the provider has given to the program
// (RFC 6749 section 2.3.1) in a keyring, the one of [WithKeyring] or the best
// that can be used, and returns which one it was, for [WithClientSecretIn].
// Plain text needs the consent of [WithPlaintextConsent], if there is such a
// function. All links of the app with the provider use it.
//
// Before anything is written, note is called with the keyring, if it is not
// nil: a caller who writes it down knows where to look for the secret whatever
// happens next. An error of note ends the call. The keyring that is returned
// with an error may have the secret; empty: nothing was written.
func (s *Session) SaveClientSecret(ctx context.Context, value Secret, note func(keyring.ID) error) (keyring.ID, error) {
	const op = "save the client secret"
	choice, err := s.ChooseKeyring(ctx)
	if err != nil {
		return "", s.accessError(op, err)
	}
	id := choice.Keyring.ID()
	if id == keyring.Plaintext {
		if err := s.askConsent(ctx, errNoKeyring(choice.Passed), choice.Passed); err != nil {
			return "", err
		}
	}
	if note != nil {
		if err := note(id); err != nil {
			return "", err
		}
	}
	if err := s.put(ctx, choice.Keyring, s.clientSecretKey(), value, s.config.prompt); err != nil {
		return id, s.accessError(op, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.password = value
	return id, nil
}

// DeleteClientSecret deletes what [Session.SaveClientSecret] stored in the
// keyring id. None is no error.
func (s *Session) DeleteClientSecret(ctx context.Context, id keyring.ID) error {
	k, err := s.byID(id)
	if err == nil {
		err = s.remove(ctx, k, s.clientSecretKey(), s.config.prompt)
	}
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return s.accessError("delete the client secret", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.password = secret.Secret{}
	return nil
}
