package authring

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/authring/authring/internal/killpoint"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// PendingLink is a link that was begun and awaits its code.
type PendingLink struct {
	// AuthURL is the page on which the user approves access.
	AuthURL string
	// Expires is when the code of that page is no longer accepted here.
	Expires time.Time
}

// begunLink is the one-time material of a link that was begun: RFC 7636
// section 4.1 has "a unique code verifier for each authorization request".
type begunLink struct {
	verifier secret.Secret
	url      string
	appKey   string
	scope    []string
	redirect string // redirect_uri; empty where the page shows the code
	created  time.Time
}

// AuthURL returns the authorization URL (RFC 6749 section 4.1.1 with the
// challenge of RFC 7636 section 4.3) to which the user is sent. It is the same
// at each call, so that a page that was opened stays good, until its code was
// redeemed or refused, or ten minutes have passed; then it is a fresh one.
//
// The code verifier stays in this session: the same one must get the code.
// [Session.BeginLink] lets another process finish.
func (s *Session) AuthURL() string {
	begun, err := s.begin(time.Now())
	if err != nil {
		// A provider that was filled in wrongly, or knows programs by a
		// client identifier that is missing: BeginLink says which.
		return ""
	}
	return begun.url
}

// BeginLink is [Session.AuthURL], written down, so that any process that opens
// a session of the same config name within ten minutes can finish the link.
func (s *Session) BeginLink(ctx context.Context) (PendingLink, error) {
	if err := ctx.Err(); err != nil {
		return PendingLink{}, context.Cause(ctx)
	}
	now := time.Now()
	begun, err := s.begin(now)
	if err != nil {
		return PendingLink{}, err
	}
	pending := record.PendingLink{
		Config: s.name, AuthURL: begun.url, Verifier: begun.verifier, Provider: s.config.provider.Name,
		AppKey: begun.appKey, Scope: strings.Join(begun.scope, " "), RedirectURI: begun.redirect, Created: begun.created, Expires: begun.created.Add(record.PendingLifetime),
	}
	if err := s.layout.SavePending(s.name, pending); err != nil {
		return PendingLink{}, err
	}
	return PendingLink{AuthURL: pending.AuthURL, Expires: pending.Expires}, nil
}

func (s *Session) begin(now time.Time) (*begunLink, error) {
	appKey := s.linkAppKey()
	client, err := s.client(appKey)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Half of the time must be left for somebody who opens the page now.
	if b := s.begun; b != nil && now.Sub(b.created) < record.PendingLifetime/2 && now.After(b.created) {
		return b, nil
	}
	scope := s.config.scope
	if scope == nil && s.resumed != nil {
		scope = strings.Fields(s.resumed.Scope)
	}
	redirect := ""
	if !s.config.provider.NoRedirectCode {
		if redirect, err = s.config.provider.RedirectAt(0); err != nil {
			return nil, fmt.Errorf("could not begin a link: %w", err)
		}
	}
	verifier := provider.NewVerifier()
	s.begun = &begunLink{
		verifier: verifier, appKey: appKey, scope: scope, redirect: redirect, created: now,
		url: client.AuthCodeURL(provider.AuthRequest{Challenge: provider.Challenge(verifier), RedirectURI: redirect, Scope: scope}),
	}
	return s.begun, nil
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
	case errors.Is(err, record.ErrNoPending), errors.Is(err, record.ErrPendingExpired):
		return nil, fmt.Errorf("%w: %w", ErrNoPendingLink, err)
	case err != nil:
		return nil, err
	case written.Provider != s.config.provider.Name:
		return nil, fmt.Errorf("%w with %s: the one begun is with %q", ErrNoPendingLink, s.config.provider.Title, written.Provider)
	}
	// If its code is refused, the next page asks for the same.
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resumed = &written
	return &begunLink{verifier: written.Verifier, url: written.AuthURL, appKey: written.AppKey, redirect: written.RedirectURI, created: written.Created}, nil
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

// VerifyAuthToken redeems the authorization code that the user brought (RFC
// 6749 section 4.1.3). It also takes what people paste for it: the code with
// spaces around it, or the whole URL of the page they were sent to. The
// credentials are then in memory; [Session.SaveCreds] keeps them.
//
// An [ErrInvalidToken] says that the code is none (provider.ErrNotACode: ask
// again) or was refused (begin anew: [Session.AuthURL] now is a fresh one).
// After an [ErrConnectionFailed] the begun link is still good: try the same
// code again, or, if that is then refused because its first answer was lost,
// begin anew. [ErrNoPendingLink] says that no link was begun.
func (s *Session) VerifyAuthToken(ctx context.Context, code string) error {
	parsed, err := provider.ParseCode(code)
	if err != nil {
		return err
	}
	begun, err := s.pending()
	if err != nil {
		return err
	}
	client, err := s.client(begun.appKey)
	if err != nil {
		return err
	}
	if err := s.unlockClientSecret(ctx); err != nil {
		return ended(ctx, err)
	}
	defer s.waitingForProvider()()
	sent, now := s.clock.Now(), time.Now()
	token, err := client.Exchange(ctx, parsed, begun.verifier, begun.redirect)
	killpoint.Here("link: answered")
	if err != nil {
		if errors.Is(err, ErrInvalidToken) {
			s.spend()
		}
		return ended(ctx, err)
	}
	s.spend()
	verified := &credentials{
		accountID: token.AccountID, kind: Offline, refresh: token.RefreshToken,
		access: token.AccessToken, scope: token.Scope, appKey: begun.appKey,
	}
	if token.ExpiresIn > 0 {
		verified.expires = now.Add(token.ExpiresIn).Round(0)
		verified.ends = sent + token.ExpiresIn
	}
	if token.RefreshToken.IsZero() {
		if token.ExpiresIn > 0 {
			return fmt.Errorf("%w: %s gave an access token and no refresh token", ErrInvalidToken, s.config.provider.Title)
		}
		verified.kind = Legacy
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verified = verified
	return nil
}

// DiscardCreds gives up credentials that were verified and not saved: the
// grant is revoked at the provider, so that it is not left alive unnoticed.
// When that fails the error says so, and the grant stays valid there until the
// user withdraws it. Without such credentials it does nothing.
func (s *Session) DiscardCreds(ctx context.Context) error {
	s.mu.Lock()
	verified := s.verified
	s.verified = nil
	s.mu.Unlock()
	if verified == nil {
		return nil
	}
	client, err := s.client(verified.appKey)
	if err != nil {
		return err
	}
	defer s.waitingForProvider()()
	token, byRefresh := verified.access, false
	if s.config.provider.Revocation() == provider.RevokeByRefresh && !verified.refresh.IsZero() {
		token, byRefresh = verified.refresh, true
	}
	if err := revoke(ctx, client, token, byRefresh); err != nil {
		s.emit(Event{Kind: EventGrantAlive, Text: "the new grant could not be revoked" + s.manageHint(), Err: err})
		return fmt.Errorf("could not revoke the new grant%s: %w", s.manageHint(), err)
	}
	return nil
}

// manageHint names the page on which a user can revoke a grant by hand.
func (s *Session) manageHint() string {
	page := s.config.provider.ManageURL
	if _, err := url.Parse(page); page == "" || err != nil {
		return ""
	}
	return " (see " + page + ")"
}
