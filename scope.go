package authring

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/authring/authring/internal/flight"
	"github.com/authring/authring/provider"
)

// Scope asks for an access token that may do no more than this: a narrower
// scope than the grant has, for handing to a program that needs no more. It is
// made by a refresh with that scope, under the same lock as every other, and
// kept in memory for those who ask for the same; the token with the whole
// scope is left as it is. Given more than once, the scopes are put together.
//
//	"The requested scope MUST NOT include any scope not originally granted by
//	the resource owner" (RFC 6749 section 6)
//
// The error for that is [ErrMissingScope]. It is [ErrCannotNarrow] where the
// provider cannot narrow a token, or gives one that may do more than was asked,
// which is then handed to nobody; for a legacy token; and for what is no scope.
func Scope(scope ...string) TokenOption {
	return TokenOption{narrow: true, scope: slices.Clone(scope)}
}

// narrowed is the token of a narrower scope; nil stands for the whole.
type narrowed struct {
	scope      []string // sorted, each once
	refreshing flight.Flight
	cached     atomic.Pointer[cachedToken]
}

// mostNarrowed bounds how many narrower scopes a session remembers tokens of.
const mostNarrowed = 32

func (s *Session) narrowToken(ctx context.Context, want TokenOption) (Token, error) {
	scope, err := canonicalScope(want.scope)
	if err != nil {
		return Token{}, err
	}
	if !s.config.provider.NarrowsScope {
		return Token{}, fmt.Errorf("%w: %s gives tokens with the whole scope of a grant only", ErrCannotNarrow, s.config.provider.Title)
	}
	n := s.narrowedTo(scope)
	if c := n.cached.Load(); c != nil && !want.fresh && c.good(s.clock.Now(), want.minValid) {
		return c.Token, nil
	}
	work := func(ctx context.Context) error { return s.refreshTo(ctx, n) }
	if err := n.refreshing.Do(ctx, work); err != nil {
		return Token{}, err
	}
	return n.cached.Load().handOut(want.minValid)
}

// canonicalScope sorts a scope, whose order "does not matter" (RFC 6749
// section 3.3), and refuses what cannot be one.
func canonicalScope(scope []string) ([]string, error) {
	for _, token := range scope {
		// scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
		if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return nil, fmt.Errorf("%w: %.40q is no scope", ErrCannotNarrow, token)
		}
	}
	if len(scope) == 0 {
		// An empty parameter would mean all that was granted.
		return nil, fmt.Errorf("%w: none was named", ErrCannotNarrow)
	}
	return slices.Compact(slices.Sorted(slices.Values(scope))), nil
}

// narrowedTo returns what callers who ask for the same scope share.
func (s *Session) narrowedTo(scope []string) *narrowed {
	s.watching.Lock()
	defer s.watching.Unlock()
	key := strings.Join(scope, " ")
	if n := s.narrowed[key]; n != nil {
		return n
	}
	if len(s.narrowed) >= mostNarrowed {
		s.makeRoom()
	}
	n := &narrowed{scope: scope}
	if s.narrowed == nil {
		s.narrowed = map[string]*narrowed{}
	}
	s.narrowed[key] = n
	return n
}

// makeRoom forgets the narrower scope whose token ends first. The caller holds
// watching.
func (s *Session) makeRoom() {
	first, ends := "", time.Duration(0)
	for key, n := range s.narrowed {
		var at time.Duration
		if c := n.cached.Load(); c != nil {
			at = c.expires
		}
		if first == "" || at < ends {
			first, ends = key, at
		}
	}
	delete(s.narrowed, first)
}

// dropNarrowed forgets the tokens of narrower scopes. The caller holds
// watching.
func (s *Session) dropNarrowed() {
	for _, n := range s.narrowed {
		n.cached.Store(nil)
	}
}

// request is the scope parameter of the refresh.
func (n *narrowed) request() []string {
	if n == nil {
		return nil
	}
	return n.scope
}

// check refuses, before anything is sent, what the grant cannot give.
func (n *narrowed) check(grant *credentials) error {
	if n == nil {
		return nil
	}
	if grant.kind == Legacy {
		return fmt.Errorf("%w: the link has a legacy token, which has one scope", ErrCannotNarrow)
	}
	granted := strings.Fields(grant.scope)
	for _, token := range n.scope {
		if len(granted) > 0 && !slices.Contains(granted, token) {
			return fmt.Errorf("%w: %s", ErrMissingScope, token)
		}
	}
	return nil
}

// publishNarrowed makes a token the one that callers of its scope get, if it
// may do no more than that.
//
//	"scope: OPTIONAL, if identical to the scope requested by the client;
//	otherwise, REQUIRED." (RFC 6749 section 5.1)
func (s *Session) publishNarrowed(n *narrowed, grant *credentials, token *provider.Token, sent time.Duration) error {
	for _, got := range strings.Fields(token.Scope) {
		if !slices.Contains(n.scope, got) {
			return fmt.Errorf("%w: %s gave a token that may do more, which is not used", ErrCannotNarrow, s.config.provider.Title)
		}
	}
	c := s.newCached(grant, token, sent)
	if token.Scope == "" {
		c.Scope = strings.Join(n.scope, " ")
	}
	s.watching.Lock()
	defer s.watching.Unlock()
	n.cached.Store(c)
	return nil
}
