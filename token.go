package authring

import (
	"context"
	"time"

	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// DefaultMinValid is how long a token of [Session.Token] stays valid unless
// asked otherwise. It is what Dropbox's own libraries use.
const DefaultMinValid = 5 * time.Minute

// Token is an access token (RFC 6749 section 1.4), to be sent as its type says.
type Token struct {
	AccessToken secret.Secret
	// TokenType is [Bearer], or [DPoP] for one that needs a proof at each use.
	TokenType string
	// Expires is when the token ends, by this machine's clock as it stood
	// when the token came; the zero time for a legacy token, which does not
	// expire.
	Expires time.Time
	// Scope is what the token may do, as far as the provider said.
	Scope string

	key *provider.DPoPKey // of a token of type DPoP
}

// TokenOption changes what [Session.Token] returns.
type TokenOption struct {
	minValid time.Duration
	fresh    bool
	narrow   bool
	scope    []string
}

// MinValid asks for a token that is valid for at least d.
func MinValid(d time.Duration) TokenOption { return TokenOption{minValid: d} }

// Fresh asks for a token that was made after the call began.
func Fresh() TokenOption { return TokenOption{fresh: true} }

// Token returns an access token that is valid for at least five minutes, or as
// long as [MinValid] asks; from memory if it can, and otherwise with a refresh
// that all callers of the session share. Each caller can give up through its
// own context without disturbing the others. Once four fifths of a token's
// life are gone, a call has it renewed in the background, so that a program
// that calls often never waits.
//
// The errors are [ErrNotLinked]; [*KeyringAccessError]; [ErrRevoked] when the
// provider said that the grant is gone, after which only a relink helps;
// [ErrInDoubt]; [ErrConnectionFailed] when the provider could not be asked,
// with the grant untouched, so that another try later is right;
// [ErrValidityTooLong]; with [Scope] also [ErrMissingScope] and
// [ErrCannotNarrow]; and the context's.
func (s *Session) Token(ctx context.Context, opts ...TokenOption) (Token, error) {
	c := s.cached.Load()
	if c != nil && len(opts) == 0 {
		// No lock, no allocation, and no look at a clock: see watch.
		switch c.phase.Load() {
		case phaseFresh:
			return c.Token, nil
		case phaseAging:
			s.renewAhead(c)
			return c.Token, nil
		}
	}
	return s.tokenSlow(ctx, c, opts)
}

func (s *Session) tokenSlow(ctx context.Context, c *cachedToken, opts []TokenOption) (Token, error) {
	var want TokenOption
	for _, opt := range opts {
		want.minValid = max(want.minValid, opt.minValid)
		want.fresh = want.fresh || opt.fresh
		want.narrow = want.narrow || opt.narrow
		want.scope = append(want.scope, opt.scope...)
	}
	if !want.narrow && c != nil && !want.fresh && c.good(s.clock.Now(), want.minValid) {
		s.watch(c)
		return c.Token, nil
	}
	if s.config.agent {
		if token, err := s.fromAgent(ctx, want); !agentclient.Fallback(err) {
			return token, err
		}
	}
	if want.narrow {
		return s.narrowToken(ctx, want)
	}
	if err := s.refreshing.Do(ctx, s.refresh); err != nil {
		return Token{}, err
	}
	return s.cached.Load().handOut(want.minValid)
}

// renewAhead renews an aging token in the background, once at a time. When
// that fails the token is still good for a while, and a later call tries again.
func (s *Session) renewAhead(c *cachedToken) {
	if !s.renewing.CompareAndSwap(false, true) {
		return
	}
	s.watching.Lock()
	if s.closed || s.clock.Now() < s.renewAfter {
		s.watching.Unlock()
		s.renewing.Store(false)
		return
	}
	s.background.Add(1)
	s.watching.Unlock()
	go func() {
		defer s.background.Done()
		defer s.renewing.Store(false)
		if s.cached.Load() != c {
			return
		}
		if err := s.renew(s.life); err != nil {
			s.config.logger.Debug("could not renew ahead", "config", s.name, "error", err)
			s.watching.Lock()
			s.renewAfter = s.clock.Now() + renewPause
			s.watching.Unlock()
		}
	}()
}

func (s *Session) renew(ctx context.Context) error {
	if s.config.agent {
		if _, err := s.fromAgent(ctx, TokenOption{}); !agentclient.Fallback(err) {
			return err
		}
	}
	return s.refreshing.Do(ctx, s.refresh)
}

// renewPause is how long renewing ahead rests after it failed.
const renewPause = 30 * time.Second

// drop forgets an access token that the API refused, unless it was replaced
// already.
func (s *Session) drop(refused secret.Secret) {
	s.watching.Lock()
	defer s.watching.Unlock()
	if c := s.cached.Load(); c != nil && c.AccessToken.Equal(refused) {
		s.refused.Store(&refused)
		s.setCached(nil)
	}
}

// driftBound is how far the server's clock may seem to run ahead of ours; its
// header has whole seconds, and answers may wait in between.
const driftBound = 5 * time.Second

// observe corrects a token's remaining life by the Date of a later answer. A
// virtual machine that was paused has a clock that lost the time of the pause,
// and only the server knows.
func (s *Session) observe(c *cachedToken, date time.Time) {
	if c == nil || c.life == 0 || c.served.IsZero() {
		return
	}
	now := s.clock.Now()
	if lost := date.Sub(c.served) - (now - c.came); lost > driftBound && c.expires-lost < now+c.need() {
		s.config.logger.Debug("the machine's clock lost time", "config", s.name, "lost", lost)
		s.drop(c.AccessToken)
	}
}
