package authring

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// begunLink is the one-time material of a link that was begun: RFC 7636
// section 4.1 has "a unique code verifier for each authorization request".
type begunLink struct {
	verifier secret.Secret
	url      string // empty for one that is still to be pushed
	pushed   pushed
	appKey   string
	scope    []string
	key      *provider.DPoPKey // that the code is bound to; nil: none
	lost     bool              // it is bound to one that another process has
	redirect string            // redirect_uri; empty where the page shows the code
	state    string            // RFC 6749 section 10.12; empty without a redirect
	nonce    string            // OpenID Connect Core section 3.1.2.1; empty if no ID token is asked for
	created  time.Time
}

// takeUp makes a link that another process wrote down this session's own, if a
// fresh one would differ in its one-time values only: a page that is open for
// it stays good.
func (s *Session) takeUp(now time.Time, redirect string) {
	s.mu.Lock()
	own := s.begun
	s.mu.Unlock()
	if own.fresh(now) {
		return
	}
	written, err := s.layout.LoadPending(s.name, now)
	if err != nil || written.Provider != s.config.provider.Name || written.AppKey != s.linkAppKey() || written.RedirectURI != redirect || written.DPoPKey != "" {
		return
	}
	client, err := s.client(written.AppKey)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := &begunLink{
		verifier: written.Verifier, url: written.AuthURL, appKey: written.AppKey, scope: s.linkScope(),
		redirect: redirect, state: written.State, nonce: written.Nonce, created: written.Created,
	}
	switch {
	case !found.fresh(now):
	case s.config.provider.PARURL != "":
		// The address does not tell what was asked for: it is asked again.
		if found.url = ""; written.Scope == strings.Join(found.scope, " ") {
			s.begun = found
		}
	case found.address(client) == found.url:
		s.begun = found
	}
}

// fresh reports whether half of the time is left, as somebody who opens the
// page now may need.
func (b *begunLink) fresh(now time.Time) bool {
	return b != nil && now.Sub(b.created) < record.PendingLifetime/2 && !now.Before(b.created)
}

// address is the page of a link that is not pushed.
func (b *begunLink) address(client *provider.Client) string { return client.AuthCodeURL(b.request()) }

// request is the authorization request.
func (b *begunLink) request() provider.AuthRequest {
	request := provider.AuthRequest{
		Challenge: provider.Challenge(b.verifier), State: b.state, Nonce: b.nonce, RedirectURI: b.redirect, Scope: b.scope,
	}
	if b.key != nil {
		request.DPoPKey = b.key.Thumbprint()
	}
	return request
}

// linkScope is the scope to ask for. The caller holds mu.
func (s *Session) linkScope() []string {
	if s.config.scope == nil && s.resumed != nil {
		return strings.Fields(s.resumed.Scope)
	}
	return s.config.scope
}

func (s *Session) begin(now time.Time, redirect string, bound bool) (*begunLink, error) {
	appKey := s.linkAppKey()
	client, err := s.client(appKey)
	if err != nil {
		return nil, err
	}
	var key *provider.DPoPKey
	if bound {
		if key, err = s.proofKey(); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.begun; b.fresh(now) && b.redirect == redirect && (bound || b.key == nil) {
		return b, nil
	}
	begun := &begunLink{verifier: provider.NewVerifier(), appKey: appKey, scope: s.linkScope(), key: key, redirect: redirect, created: now}
	if redirect != "" {
		begun.state = rand.Text()
	}
	if s.config.provider.AsksIDToken(begun.scope) {
		begun.nonce = rand.Text()
	}
	if s.config.provider.PARURL == "" {
		begun.url = begun.address(client)
	}
	s.begun = begun
	return begun, nil
}

// pending returns the verifier to redeem a code with: this session's own, or
// the one that another process wrote down.
func (s *Session) pending() (*begunLink, error) {
	s.mu.Lock()
	begun := s.begun
	s.mu.Unlock()
	if begun != nil {
		return begun, nil
	}
	written, err := s.layout.LoadPending(s.name, time.Now())
	switch {
	case errors.Is(err, record.ErrNoPending):
		return nil, ErrNoPendingLink
	case errors.Is(err, record.ErrPendingExpired):
		return nil, fmt.Errorf("%w that is still good: %w", ErrNoPendingLink, err)
	case err != nil:
		return nil, err
	case written.Provider != s.config.provider.Name:
		return nil, fmt.Errorf("%w with %s: the one begun is with %q", ErrNoPendingLink, s.config.provider.Title, written.Provider)
	}
	// If its code is refused, the next page asks for the same.
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resumed = &written
	return &begunLink{
		verifier: written.Verifier, url: written.AuthURL, appKey: written.AppKey, scope: strings.Fields(written.Scope), lost: written.DPoPKey != "",
		redirect: written.RedirectURI, state: written.State, nonce: written.Nonce, created: written.Created,
	}, nil
}

// spend forgets a begun link whose code was redeemed or refused.
func (s *Session) spend() {
	s.mu.Lock()
	s.begun = nil
	s.mu.Unlock()
	if err := s.layout.DropPending(s.name); err != nil {
		s.config.logger.Debug("could not remove the pending link", "config", s.name, "error", err)
	}
}
