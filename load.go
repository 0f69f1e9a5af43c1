package authring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// Status is a link as far as it can be seen without a prompt or the network.
type Status struct {
	State State
	// Reason says why the link is locked, unavailable, missing its secret or
	// revoked; nil for the others.
	Reason error
	// Keyring holds the secret, or, while unlinked, would hold it; empty if
	// there is none. KeyringName is what people call it.
	Keyring     keyring.ID
	KeyringName string
	Record      record.Record
	// Lifetime is how long the refresh token lives.
	Lifetime Lifetime
}

// Status looks at record and keyring. It prompts nobody, and an error means
// only that ctx ended or the record cannot be read.
func (s *Session) Status(ctx context.Context) (Status, error) {
	s.recoverIfFree(ctx)
	rec, err := s.reload()
	if err != nil {
		return Status{}, err
	}
	status := Status{Record: rec, Keyring: rec.Keyring, Lifetime: s.lifetime(rec)}
	k, err := s.keyringOf(ctx, rec, "load the token")
	if err == nil {
		status.Keyring, status.KeyringName = k.ID(), s.probeName(ctx, k)
	}
	if rec.Empty() {
		return status, ctx.Err()
	}
	var held secret.Secret
	if err == nil {
		held, err = s.get(ctx, k, rec, keyring.NoPrompt)
	}
	if ctx.Err() != nil {
		return status, context.Cause(ctx)
	}
	var access *KeyringAccessError
	switch {
	case s.isRevoked(rec, held):
		status.State, status.Reason = Revoked, revokedError(rec)
	case errors.As(err, &access):
		status.State, status.Reason = access.State, err
	default:
		status.State = Linked
	}
	return status, nil
}

// isRevoked reports whether the mark of revocation is about the token that the
// keyring holds. Another one means that the link was made anew since, perhaps
// by another program.
func (s *Session) isRevoked(rec record.Record, held secret.Secret) bool {
	if rec.Revoked == nil || held.IsZero() || rec.Revoked.Fingerprint == "" {
		return rec.Revoked != nil
	}
	return s.fingerprint(held) == rec.Revoked.Fingerprint
}

// probeName is what people call a keyring; it is asked within a second.
func (s *Session) probeName(ctx context.Context, k keyring.Keyring) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return keyring.Probe(ctx, k).Name
}

// State tells which of the six states the link is in. It prompts nobody, and
// an error means only that ctx ended or the record cannot be read.
func (s *Session) State(ctx context.Context) (State, error) {
	status, err := s.Status(ctx)
	return status.State, err
}

// Linked reports whether the session has full credentials. It loads them on
// demand, which may block, within ctx and the prompt policy, until the keyring
// is unlocked. Credentials that exist and cannot be read are an error, not
// false.
func (s *Session) Linked(ctx context.Context) (bool, error) {
	_, err := s.credentials(ctx)
	if errors.Is(err, ErrNotLinked) {
		return false, nil
	}
	return err == nil, err
}

// Load reads the secret of the link from its keyring, anew at each call. The
// methods that need it call it on demand. The errors are [ErrNotLinked],
// [*KeyringAccessError], and the context's.
func (s *Session) Load(ctx context.Context) error {
	return s.loading.Do(ctx, func(ctx context.Context) error { return s.patiently(ctx, s.tryOwn, s.loadNow) })
}

func (s *Session) loadNow(ctx context.Context) error {
	s.recoverIfFree(ctx)
	rec, err := s.reload()
	if err != nil {
		return err
	}
	_, _, err = s.load(ctx, rec, s.config.prompt)
	return err
}

// load reads the secret that rec speaks of, and keeps it in memory.
func (s *Session) load(ctx context.Context, rec record.Record, prompt keyring.Prompt) (*credentials, keyring.Keyring, error) {
	if rec.Empty() {
		return nil, nil, ErrNotLinked
	}
	kind := TokenAccessType(rec.TokenAccessType)
	if kind != Legacy && kind != Offline {
		return nil, nil, fmt.Errorf("could not load the token of %q: its record has the unknown token access type %q", s.name, rec.TokenAccessType)
	}
	if err := s.checkProvider(rec); err != nil {
		return nil, nil, err
	}
	k, err := s.keyringOf(ctx, rec, "load the token")
	if err != nil {
		return nil, nil, err
	}
	value, err := s.get(ctx, k, rec, prompt)
	if err != nil {
		return nil, k, err
	}
	loaded := &credentials{accountID: rec.AccountID, kind: kind, scope: rec.Scope, appKey: rec.AppKey}
	if kind == Legacy {
		loaded.access = value
	} else {
		loaded.refresh = value
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.loaded; old != nil && old.unsaved && old.replaces.Equal(value) {
		// The newer one is nowhere else.
		return old, k, nil
	}
	if old := s.loaded; old != nil && old.kind == kind && old.secret().Equal(value) {
		// The session that linked keeps its first access token.
		loaded.access, loaded.key, loaded.expires = old.access, old.key, old.expires
	}
	s.loaded = loaded
	return loaded, k, nil
}

// checkProvider keeps the token of one provider from being sent to another.
func (s *Session) checkProvider(rec record.Record) error {
	if rec.Provider == "" || rec.Provider == s.config.provider.Name {
		return nil
	}
	return fmt.Errorf("could not use the link %q: it is with the provider %q, and the session is for %s", s.name, rec.Provider, s.config.provider.Title)
}

// credentials returns what is in memory, or loads it.
func (s *Session) credentials(ctx context.Context) (credentials, error) {
	for range 2 {
		s.mu.Lock()
		c := s.verified
		if c == nil {
			c = s.loaded
		}
		if c != nil {
			defer s.mu.Unlock()
			return *c, nil
		}
		s.mu.Unlock()
		if err := s.Load(ctx); err != nil {
			return credentials{}, err
		}
	}
	// Unlinked by another call in between.
	return credentials{}, ErrNotLinked
}

// TokenAccessType returns the kind of grant. As in the seed it loads the
// credentials on demand and may block, within ctx, until the keyring is
// unlocked; [Session.Record] has the kind without that.
func (s *Session) TokenAccessType(ctx context.Context) (TokenAccessType, error) {
	c, err := s.credentials(ctx)
	return c.kind, err
}

// AccessToken returns the access token that came with the link: always for a
// legacy grant, and for an offline one only in the session that linked (it
// may have expired; [Session.Token] gives a valid one). It is empty otherwise.
func (s *Session) AccessToken(ctx context.Context) (secret.Secret, error) {
	c, err := s.credentials(ctx)
	if err != nil {
		return secret.Secret{}, err
	}
	access, _, err := s.unbound(&c)
	return access, err
}

// RefreshToken returns the refresh token; it is empty for a legacy grant. One
// that is bound to a key (RFC 9449) is of no use without it.
func (s *Session) RefreshToken(ctx context.Context) (secret.Secret, error) {
	c, err := s.credentials(ctx)
	if err != nil {
		return secret.Secret{}, err
	}
	refresh, _, err := s.unbind(c.refresh)
	return refresh, err
}

// AccessTokenExpiration returns when the token of [Session.AccessToken]
// expires; the zero time for a legacy grant, and in a session that did not
// link.
func (s *Session) AccessTokenExpiration() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.verified != nil:
		return s.verified.expires
	case s.loaded != nil:
		return s.loaded.expires
	default:
		return time.Time{}
	}
}

func revokedError(rec record.Record) error {
	return fmt.Errorf("%w (%s, seen %s)", ErrRevoked, rec.Revoked.Reason, rec.Revoked.At.Format(time.RFC3339))
}
