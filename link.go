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
	// PageExpires is when the provider forgets a page that was not opened
	// (RFC 9126); zero where it does not. Begin the link again for a new
	// address: an answer of the page that was opened before stays good.
	PageExpires time.Time

	// RedirectURI is where that page sends the browser in the end, and State
	// what the answer then has (RFC 6749 section 4.1.2), for a program that
	// waits there. Both are empty where the page shows the code.
	RedirectURI, State string
}

// AuthURL returns the authorization URL (RFC 6749 section 4.1.1 with the
// challenge of RFC 7636 section 4.3) to which the user is sent. It is the same
// at each call, so that a page that was opened stays good, until its code was
// redeemed or refused, or ten minutes have passed; then it is a fresh one.
//
// Where the provider takes the request by another way than the browser (RFC
// 9126) it is sent there within half a minute; that page is good for a short
// while, after which a call returns another address of the same request.
//
// The address is empty where none can be had: [Session.BeginLink] says why.
// The code verifier stays in this session: the same one must get the code.
// [Session.BeginLink] lets another process finish.
func (s *Session) AuthURL() string {
	now := time.Now()
	s.mu.Lock()
	begun := s.begun
	s.mu.Unlock()
	var err error
	if !begun.fresh(now) {
		var redirect string
		if redirect, err = s.pastedRedirect(); err == nil {
			begun, err = s.begin(now, redirect, true)
		}
	}
	if err == nil && s.toBePushed(begun) {
		ctx, cancel := context.WithTimeout(s.life, pushBound)
		defer cancel()
		begun, err = s.push(ctx, begun)
	}
	if err != nil {
		// A provider that was filled in wrongly, cannot be asked, or knows
		// programs by a client identifier that is missing.
		s.config.logger.Debug("could not begin a link", "config", s.name, "error", err)
		return ""
	}
	return begun.url
}

// BeginLink is [Session.AuthURL], written down, so that any process that opens
// a session of the same config name within ten minutes can finish the link.
// Where another process began the same link less than five minutes ago, its
// page stays the one to use.
//
// A key that only one process has can bind nothing here (RFC 9449 section 10):
// where the provider takes proofs, the key is made when the code is redeemed.
func (s *Session) BeginLink(ctx context.Context) (PendingLink, error) {
	redirect, err := s.pastedRedirect()
	if err != nil {
		return PendingLink{}, err
	}
	return s.beginWritten(ctx, redirect, false)
}

// pastedRedirect is the redirect URI where nobody waits at it.
func (s *Session) pastedRedirect() (string, error) {
	if s.config.provider.NoRedirectCode {
		return "", nil
	}
	redirect, err := s.config.provider.RedirectAt(0)
	if err != nil {
		return "", fmt.Errorf("could not begin a link: %w", err)
	}
	return redirect, nil
}

// beginWritten begins a link, or takes up the same one, and writes it down. With
// bound only this process can finish it where the provider takes proofs of a
// key, which is written nowhere.
func (s *Session) beginWritten(ctx context.Context, redirect string, bound bool) (PendingLink, error) {
	if err := ctx.Err(); err != nil {
		return PendingLink{}, context.Cause(ctx)
	}
	now := time.Now()
	s.takeUp(now, redirect)
	begun, err := s.begin(now, redirect, bound)
	if err == nil {
		begun, err = s.push(ctx, begun)
	}
	if err != nil {
		return PendingLink{}, ended(ctx, err)
	}
	pending := record.PendingLink{
		Config: s.name, AuthURL: begun.url, Verifier: begun.verifier, State: begun.state, Nonce: begun.nonce, Provider: s.config.provider.Name,
		AppKey: begun.appKey, Scope: strings.Join(begun.scope, " "), RedirectURI: begun.redirect, Created: begun.created, Expires: begun.created.Add(record.PendingLifetime),
	}
	if begun.key != nil {
		pending.DPoPKey = begun.key.Thumbprint()
	}
	if err := s.layout.SavePending(s.name, pending); err != nil {
		return PendingLink{}, err
	}
	return PendingLink{AuthURL: pending.AuthURL, Expires: pending.Expires, PageExpires: begun.pushed.until, RedirectURI: begun.redirect, State: begun.state}, nil
}

// VerifyAuthToken redeems the authorization code that the user brought (RFC
// 6749 section 4.1.3). It also takes what people paste for it: the code with
// spaces around it, or the whole URL of the page they were sent to, which is
// then looked at as [Session.VerifyRedirect] does if the link has a redirect.
// The credentials are then in memory; [Session.SaveCreds] keeps them.
//
// An [ErrInvalidToken] says that the code is none (provider.ErrNotACode: ask
// again) or was refused (begin anew: [Session.AuthURL] now is a fresh one).
// After an [ErrConnectionFailed] the begun link is still good: try the same
// code again, or, if that is then refused because its first answer was lost,
// begin anew. [ErrNoPendingLink] says that no link was begun.
func (s *Session) VerifyAuthToken(ctx context.Context, code string) error {
	begun, beginErr := s.pending()
	if beginErr == nil && begun.state != "" && isAnswer(provider.CleanPaste(code)) {
		return s.verifyPasted(ctx, code)
	}
	parsed, err := provider.ParseCode(code)
	if err != nil {
		return err
	}
	if beginErr != nil {
		return beginErr
	}
	if parsed.Reveal() == begun.appKey {
		// The server would refuse it, and the page would be of no more use.
		return fmt.Errorf("%w: it is the client id (app key)", provider.ErrNotACode)
	}
	return s.redeem(ctx, begun, parsed)
}

// redeem exchanges a code for credentials.
func (s *Session) redeem(ctx context.Context, begun *begunLink, code secret.Secret) error {
	client, err := s.client(begun.appKey)
	if err != nil {
		return err
	}
	if begun.lost {
		return fmt.Errorf("%w: %w", ErrNoPendingLink, errOtherKey)
	}
	if begun.key == nil {
		renewed := *begun
		if renewed.key, err = s.proofKey(); err != nil {
			return err
		}
		begun = &renewed
	}
	if err := s.unlockClientSecret(ctx); err != nil {
		return ended(ctx, err)
	}
	defer s.waitingForProvider()()
	sent, now := s.clock.Now(), time.Now()
	token, err := proves(client, begun.key).Exchange(ctx, code, begun.verifier, begun.redirect)
	killpoint.Here("link: answered")
	if err != nil {
		if errors.Is(err, ErrInvalidToken) {
			s.spend()
		}
		return ended(ctx, err)
	}
	s.spend()
	return s.take(token, begun, sent, now)
}

// take keeps a token in memory, for [Session.SaveCreds]. sent, on the session's
// clock, and now are when it was asked for.
func (s *Session) take(token *provider.Token, begun *begunLink, sent time.Duration, now time.Time) error {
	key := begun.key
	if !token.Bound() {
		key = nil // a server that takes proofs need not take them from everybody
	}
	if key != nil {
		s.proving.Store(key) // with the nonces that it has learned
	}
	verified := &credentials{
		accountID: token.AccountID, kind: Offline, refresh: bind(token.RefreshToken, key),
		access: token.AccessToken, key: key, scope: token.Scope, appKey: begun.appKey,
		idToken: token.IDToken, nonce: begun.nonce, lives: token.RefreshExpiresIn,
	}
	asked := begun.scope
	if len(asked) == 0 {
		asked = s.config.provider.DefaultScope
	}
	if verified.scope == "" {
		// RFC 6749 section 5.1: scope is "OPTIONAL, if identical to the scope
		// requested by the client; otherwise, REQUIRED."
		verified.scope = strings.Join(asked, " ")
	}
	verified.missing = missingScope(asked, strings.Fields(verified.scope), token, s.config.provider.ScopeIncludes)
	if token.ExpiresIn > 0 {
		verified.expires = now.Add(token.ExpiresIn).Round(0)
		verified.ends = sent + token.ExpiresIn
	}
	if token.RefreshToken.IsZero() {
		if token.ExpiresIn > 0 {
			return fmt.Errorf("%w: %s gave an access token that ends, and no refresh token; many servers give one only for the scope offline_access", ErrInvalidToken, s.config.provider.Title)
		}
		verified.kind, verified.access = Legacy, bind(token.AccessToken, key)
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
	token, key, err := s.unbound(verified)
	byRefresh := s.config.provider.Revocation() == provider.RevokeByRefresh && !verified.refresh.IsZero()
	if byRefresh && err == nil {
		token, key, err = s.unbind(verified.refresh)
	}
	if err == nil {
		err = revoke(ctx, proves(client, key), token, byRefresh)
	}
	if err != nil {
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
