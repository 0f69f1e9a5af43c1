package authring

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/authring/authring/internal/bootclock"
	"github.com/authring/authring/provider"
)

// The phases of a cached token. They are how the fast path does without a
// clock: a timer moves a token on when its time has come.
const (
	phaseUnwatched = iota // no timer runs yet: a clock must be asked
	phaseFresh            // good for the default
	phaseAging            // good for the default, and due to be renewed
	phaseOld              // a clock must be asked
)

// cachedToken is a token and the times by which it is judged, on the clock
// that counts the time in suspend and that nobody can set.
type cachedToken struct {
	Token
	phase   atomic.Int32
	life    time.Duration // zero: does not expire
	expires time.Duration // on the boot clock
	renew   time.Duration // when it should be renewed ahead, likewise

	// What the server's clock and ours said as the token came. served is
	// zero if the server did not say.
	served time.Time
	came   time.Duration
}

// need is the validity that the default stands for: five minutes, or, where
// no token lives that long, half of a life.
func (c *cachedToken) need() time.Duration {
	if c.life <= DefaultMinValid {
		return c.life / 2
	}
	return DefaultMinValid
}

// good reports whether the token is valid for at least need from now on; zero
// means the default.
func (c *cachedToken) good(now, need time.Duration) bool {
	if c.life == 0 {
		return true
	}
	if need == 0 {
		need = c.need()
	}
	return c.expires-now >= need
}

// handOut returns what a refresh brought, unless it cannot be what was asked
// for.
func (c *cachedToken) handOut(minValid time.Duration) (Token, error) {
	switch {
	case c == nil:
		// Unlinked, or refused by the API, in the same moment.
		return Token{}, ErrNotLinked
	case c.life != 0 && c.life < minValid:
		return Token{}, fmt.Errorf("%w: asked for %v, and they live %v", ErrValidityTooLong, minValid, c.life)
	}
	return c.Token, nil
}

// newCached judges a token. sent is when its request began, so that it is
// never taken to live longer than it does.
func (s *Session) newCached(grant *credentials, token *provider.Token, sent time.Duration) *cachedToken {
	c := &cachedToken{
		Token:  Token{AccessToken: token.AccessToken, TokenType: Bearer, Scope: token.Scope},
		life:   token.ExpiresIn,
		served: token.Date,
		came:   s.clock.Now(),
	}
	if c.Scope == "" {
		c.Scope = grant.scope
	}
	if token.Bound() {
		// That it can be taken apart was seen before the token was asked for.
		c.TokenType = DPoP
		_, c.key, _ = s.unbind(grant.secret())
	}
	if c.life > 0 {
		c.expires = sent + c.life
		// Jitter, so that a fleet that started together does not stay so.
		c.renew = sent + c.life*4/5 + rand.N(c.life/20+1)
		c.Expires = time.Now().Round(0).Add(c.expires - c.came)
	}
	return c
}

// publish makes a token the one that callers get.
func (s *Session) publish(grant *credentials, token *provider.Token, sent time.Duration) {
	s.replace(s.newCached(grant, token, sent))
}

// replace makes c the current token, nil for none, and ends the timer of the
// one before.
func (s *Session) replace(c *cachedToken) {
	s.watching.Lock()
	defer s.watching.Unlock()
	s.setCached(c)
}

// setCached is replace for a caller who holds watching.
func (s *Session) setCached(c *cachedToken) {
	if s.stopWatch != nil {
		s.stopWatch()
		s.stopWatch = nil
	}
	if c == nil {
		s.dropNarrowed()
	}
	s.cached.Store(c)
}

// watch starts the timer of a token that is asked for again; a process that
// asks once has none.
func (s *Session) watch(c *cachedToken) {
	if c.life == 0 {
		c.phase.CompareAndSwap(phaseUnwatched, phaseFresh)
		return
	}
	if c.phase.Load() != phaseUnwatched {
		return
	}
	s.watching.Lock()
	defer s.watching.Unlock()
	if s.closed || s.cached.Load() != c || !c.phase.CompareAndSwap(phaseUnwatched, phaseFresh) {
		return
	}
	s.stopWatch = watchPhases(s.clock, c)
}

// watchPhases moves a token from fresh to aging to old. It knows nothing of
// the session, so that a session that is dropped can go.
func watchPhases(clock bootclock.Clock, c *cachedToken) (stop func()) {
	old := c.expires - c.need()
	stopOld := clock.AfterFunc(old, func() { c.phase.Store(phaseOld) })
	if c.renew >= old {
		return stopOld
	}
	stopAging := clock.AfterFunc(c.renew, func() { c.phase.CompareAndSwap(phaseFresh, phaseAging) })
	return func() {
		stopOld()
		stopAging()
	}
}
