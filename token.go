package authring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

const (
	// DefaultMinValid is how long a token of [Session.Token] stays valid
	// unless asked otherwise. It is what Dropbox's own libraries use.
	DefaultMinValid = 5 * time.Minute

	// refreshBound is how long one refresh may take, beside a prompt.
	refreshBound = 2 * time.Minute

	// lockBound is how long a refresh waits for another process's.
	lockBound = 30 * time.Second
)

// Token is an access token (RFC 6749 section 1.4), to be sent as RFC 6750
// section 2.1 says.
type Token struct {
	AccessToken secret.Secret
	// Expires is when the token ends, by this machine's clock; the zero time
	// for a legacy token, which does not expire.
	Expires time.Time
	// Scope is what the token may do, as far as the provider said.
	Scope string
}

// TokenOption changes what [Session.Token] returns.
type TokenOption struct {
	minValid time.Duration
	fresh    bool
}

// MinValid asks for a token that is valid for at least d.
func MinValid(d time.Duration) TokenOption { return TokenOption{minValid: d} }

// Fresh asks for a token that was made after the call began.
func Fresh() TokenOption { return TokenOption{fresh: true} }

// cachedToken is a token and the times by which it is judged.
type cachedToken struct {
	Token
	life time.Duration // zero: does not expire
	// expires holds the monotonic reading of the moment before the request
	// was sent, plus life; wall holds the same by the wall clock. A token is
	// good while both say so: the monotonic clock does not count the time in
	// suspend, and the wall clock may be set back.
	expires time.Time
	wall    int64 // Unix nanoseconds
}

// good reports whether the token is valid for at least need; a need of zero
// means the default.
func (c *cachedToken) good(need time.Duration) bool {
	if c.life == 0 {
		return true
	}
	if need == 0 {
		need = DefaultMinValid
		if c.life <= need {
			// Where no token can meet the default, half of its life is what
			// a caller gets.
			need = c.life / 2
		}
	}
	now := time.Now()
	return c.expires.Sub(now) >= need && c.wall-now.UnixNano() >= int64(need)
}

// Token returns an access token that is valid for at least five minutes, or as
// long as [MinValid] asks; from memory if it can, and otherwise with a refresh
// that all callers of the session share. Each caller can give up through its
// own context without disturbing the others.
//
// The errors are [ErrNotLinked]; [*KeyringAccessError]; [ErrRevoked] when the
// provider said twice that the grant is gone, after which only a relink helps;
// [ErrConnectionFailed] when it could not be asked, with the grant untouched,
// so that another try later is right; [ErrValidityTooLong]; and the context's.
func (s *Session) Token(ctx context.Context, opts ...TokenOption) (Token, error) {
	var want TokenOption
	for _, opt := range opts {
		want.minValid = max(want.minValid, opt.minValid)
		want.fresh = want.fresh || opt.fresh
	}
	before := s.cached.Load()
	if before != nil && !want.fresh && before.good(want.minValid) {
		return before.Token, nil
	}
	if err := s.refreshing.Do(ctx, s.refresh); err != nil {
		return Token{}, err
	}
	c := s.cached.Load()
	switch {
	case c == nil:
		// Unlinked, or refused by the API, in the same moment.
		return Token{}, ErrNotLinked
	case c.life != 0 && c.life < want.minValid:
		return Token{}, fmt.Errorf("%w: asked for %v, and they live %v", ErrValidityTooLong, want.minValid, c.life)
	}
	return c.Token, nil
}

// refresh makes a new access token and publishes it. It runs once at a time
// (Session.refreshing), and not under any caller's context.
func (s *Session) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, refreshBound+time.Duration(s.config.prompt))
	defer cancel()
	// One refresh of a link at a time, over all processes.
	if unlock, err := s.lock(ctx); err == nil {
		defer unlock()
	} else if ctx.Err() != nil {
		return context.Cause(ctx)
	} else {
		// A folder that cannot be written must not end a link whose
		// provider lets a refresh token be used side by side.
		s.config.logger.Debug("refreshing without a lock", "config", s.name, "error", err)
	}
	rec, err := s.reload()
	if err != nil {
		return err
	}
	grant, k, err := s.grant(ctx, rec)
	if err != nil {
		return ended(ctx, err)
	}
	if grant.kind == Legacy {
		s.publish(grant, &provider.Token{AccessToken: grant.access, Scope: grant.scope}, time.Now())
		return nil
	}
	client, err := s.client(grant.appKey)
	if err != nil {
		return err
	}
	defer s.waitingForProvider()()
	sent := time.Now()
	token, err := client.Refresh(ctx, grant.refresh, nil)
	if errors.Is(err, provider.ErrRevoked) {
		grant, token, sent, err = s.confirmRevoked(ctx, client, rec, grant, k, err)
	}
	if err != nil {
		return ended(ctx, fmt.Errorf("could not get an access token for %q: %w", s.name, err))
	}
	if !token.RefreshToken.IsZero() && !token.RefreshToken.Equal(grant.refresh) {
		// RFC 6749 section 6: "The authorization server MAY issue a new
		// refresh token, in which case the client MUST discard the old
		// refresh token and replace it with the new refresh token."
		grant.refresh, grant.unsaved = token.RefreshToken, true
		s.keep(grant)
		if err := s.saveRotated(ctx, k, rec, grant); err != nil {
			return err
		}
	}
	if rec.Revoked != nil {
		rec.Revoked = nil
		s.saveMark(rec)
	}
	s.publish(grant, token, sent)
	return nil
}

// grant returns the credentials to refresh with: what the keyring holds now,
// since another process may have relinked, or, while the keyring cannot be
// read, what this session read before.
func (s *Session) grant(ctx context.Context, rec record.Record) (*credentials, keyring.Keyring, error) {
	s.mu.Lock()
	known := s.loaded
	s.mu.Unlock()
	if rec.Empty() {
		s.mu.Lock()
		s.forget()
		s.mu.Unlock()
		return nil, nil, ErrNotLinked
	}
	if known == nil {
		return s.load(ctx, rec, s.config.prompt)
	}
	if known.unsaved {
		k, err := s.keyringOf(ctx, rec, "save the new refresh token")
		if err == nil {
			err = s.saveRotated(ctx, k, rec, known)
		}
		return known, k, err
	}
	fresh, k, err := s.load(ctx, rec, keyring.NoPrompt)
	if err == nil {
		return fresh, k, nil
	}
	if errors.Is(err, ErrSecretMissing) || k == nil {
		return nil, nil, err
	}
	return known, k, nil
}

// confirmRevoked decides what an invalid_grant means. If the keyring by now
// holds another refresh token, that one is used; otherwise the provider is
// asked once more, and only a second refusal counts. Nothing is deleted.
func (s *Session) confirmRevoked(ctx context.Context, client *provider.Client, rec record.Record, grant *credentials, k keyring.Keyring, refused error) (*credentials, *provider.Token, time.Time, error) {
	if value, err := s.get(ctx, k, rec, keyring.NoPrompt); err == nil && !value.Equal(grant.refresh) {
		grant = &credentials{accountID: grant.accountID, kind: grant.kind, scope: grant.scope, appKey: grant.appKey, refresh: value}
		s.keep(grant)
	}
	sent := time.Now()
	token, err := client.Refresh(ctx, grant.refresh, nil)
	if !errors.Is(err, provider.ErrRevoked) {
		return grant, token, sent, err
	}
	reason := "invalid_grant"
	var answer *provider.Error
	if errors.As(err, &answer) && answer.Description != "" {
		reason = answer.Description
	}
	if rec.Revoked == nil {
		rec.Revoked = &record.Revocation{At: time.Now().UTC().Truncate(time.Second), Reason: reason}
		s.saveMark(rec)
	}
	s.cached.Store(nil)
	s.emit(Event{Kind: EventRevoked, Text: s.config.provider.Title + " ended the link: " + reason, Err: refused})
	return grant, nil, sent, fmt.Errorf("%w: %w", ErrRevoked, err)
}

// saveMark writes that a grant is revoked, or no longer so. The mark is for
// people to see: a folder that cannot be written takes nothing away.
func (s *Session) saveMark(rec record.Record) {
	if err := s.layout.Save(s.name, rec); err != nil {
		s.config.logger.Debug("could not mark the record", "config", s.name, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record = rec
}

// saveRotated makes a new refresh token durable. Until it is, it is kept in
// memory, no access token that came with it is handed out, and each later
// call tries again.
func (s *Session) saveRotated(ctx context.Context, k keyring.Keyring, rec record.Record, grant *credentials) error {
	if err := s.put(ctx, k, s.key(rec.AccountID), grant.refresh, s.config.prompt); err != nil {
		return s.accessError("save the new refresh token, which this process keeps in memory and will try to save again, ", err)
	}
	saved := *grant
	saved.unsaved = false
	s.keep(&saved)
	s.emit(Event{Kind: EventRotated, Keyring: k.ID(), Text: "a new refresh token was saved"})
	return nil
}

func (s *Session) keep(grant *credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded = grant
}

// publish makes a token the one that callers get. sent is when its request
// began, so that it is never taken to live longer than it does.
func (s *Session) publish(grant *credentials, token *provider.Token, sent time.Time) {
	c := &cachedToken{Token: Token{AccessToken: token.AccessToken, Scope: token.Scope}, life: token.ExpiresIn}
	if c.Scope == "" {
		c.Scope = grant.scope
	}
	if c.life > 0 {
		c.expires = sent.Add(c.life)
		c.wall = c.expires.UnixNano()
		c.Expires = c.expires.Round(0)
	}
	s.cached.Store(c)
}

// drop forgets an access token that the API refused, unless it was replaced
// already.
func (s *Session) drop(refused secret.Secret) {
	if c := s.cached.Load(); c != nil && c.AccessToken.Equal(refused) {
		s.cached.CompareAndSwap(c, nil)
	}
}

// lock keeps other processes, and other sessions of this one, from changing
// the link. It waits for a bounded time.
func (s *Session) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockBound)
	defer cancel()
	held, err := filelock.Acquire(ctx, s.layout.LockPath(s.name))
	if err != nil {
		return nil, fmt.Errorf("could not lock the link %q: %w", s.name, err)
	}
	return func() { _ = held.Release() }, nil
}
