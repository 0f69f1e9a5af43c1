package provider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/authring/authring/secret"
)

// Token is a successful answer of the token endpoint (RFC 6749 section 5.1).
type Token struct {
	AccessToken  secret.Secret
	RefreshToken secret.Secret // empty if the answer held none: after a refresh, keep the old one
	TokenType    string        // "bearer" or "DPoP", in the server's own case

	// ExpiresIn is the lifetime of the access token, counted from when the
	// server answered; at least a second. If the server gave none it is
	// [Provider.AccessLifetime], or half an hour, for a token that can be
	// refreshed, and 0, for ever, for one that cannot.
	ExpiresIn time.Duration

	// RefreshExpiresIn is how long the refresh token lives, where the server
	// says so: refresh_token_expires_in or refresh_expires_in, which are in no
	// standard. 0: it did not say, or it does not end.
	RefreshExpiresIn time.Duration

	Date  time.Time // the server's clock as it answered; zero if it did not say
	Scope string    // what was granted, separated by spaces; empty if the server did not say

	// IDToken is the ID token (OpenID Connect Core section 3.1.3.3) as the
	// server sent it, not validated; empty if it sent none.
	IDToken secret.Secret

	// AccountID and TeamID say whose token it is, where the server says so
	// in the token answer itself.
	AccountID, TeamID string
}

// Exchange redeems an authorization code (RFC 6749 section 4.1.3), with the
// code verifier of its authorization request (RFC 7636 section 4.5) and the
// redirect URI, if that request had one. Codes are for a single use: the
// request is sent at most once. Where [Error.Sent] is false the code is still
// good.
//
// Whether offline access was granted is for the caller to look at: without it
// RefreshToken is empty.
func (c *Client) Exchange(ctx context.Context, code, verifier secret.Secret, redirectURI string) (*Token, error) {
	const op = "redeem the authorization code"
	if code.IsZero() {
		return nil, &Error{Op: op, Kind: ErrNotACode, Err: errors.New("it is empty")}
	}
	form := url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code.Reveal()},
		"code_verifier": {verifier.Reveal()},
	}
	// RFC 6749 section 4.1.3: "REQUIRED, if the redirect_uri parameter was
	// included in the authorization request ... and their values MUST be
	// identical."
	if redirectURI != "" {
		form.Set("redirect_uri", redirectURI)
	}
	token, fault := c.askToken(ctx, op, form, exchangeRefusals, []secret.Secret{code, verifier}, c.bounds.Total)
	if fault != nil {
		return nil, fault
	}
	return token, nil
}

// DefaultGraceWindow is how long after its first use a refresh token of
// [ReplayGrace] is used again, unless [Provider.GraceWindow] says otherwise.
// Servers give 10 seconds and more.
const DefaultGraceWindow = 10 * time.Second

// Refresh redeems a refresh token (RFC 6749 section 6). With a scope, the
// access token is narrowed to it; without, it has all that was granted.
//
// Faults of the server and the network are met with further tries as far as
// the provider's [Replay] allows, within the client's [Retry] and ctx. An
// [ErrRevoked] is told at once, and only for invalid_grant.
func (c *Client) Refresh(ctx context.Context, refreshToken secret.Secret, scope []string) (*Token, error) {
	const op = "refresh the access token"
	if refreshToken.IsZero() {
		return nil, &Error{Op: op, Kind: ErrInvalidToken, Err: errors.New("there is no refresh token")}
	}
	form := url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {refreshToken.Reveal()},
	}
	if len(scope) > 0 {
		form.Set("scope", c.provider.joinScope(scope))
	}
	var token *Token
	err := c.retry(ctx, c.mayReplay, func(bound time.Duration) (fault *Error) {
		token, fault = c.askToken(ctx, op, form, refreshRefusals, []secret.Secret{refreshToken}, bound)
		return fault
	})
	if err != nil {
		return nil, err
	}
	return token, nil
}

// mayReplay says whether a refresh token may be sent again after a fault.
func (c *Client) mayReplay(fault *Error, after time.Duration) bool {
	if !transient(fault) {
		return false
	}
	switch {
	case c.provider.Replay == ReplayReusable:
		return true
	case c.provider.Replay == ReplayGrace && after < c.provider.Window():
		return true
	}
	// An answer of 429 is the server's word that it did not act. As Sent
	// covers earlier tries as well, one lost answer ends the matter.
	return !fault.Sent || fault.Status == http.StatusTooManyRequests
}

// askToken posts a form to the token endpoint, once.
//
// RFC 6749 section 3.2: "The client MUST use the HTTP "POST" method when making
// access token requests." The parameters go in the body, which no log of a
// server or a proxy keeps.
func (c *Client) askToken(ctx context.Context, op string, form url.Values, refusals map[string]error, secrets []secret.Secret, bound time.Duration) (*Token, *Error) {
	m, fault := c.form(ctx, op, c.provider.TokenURL, form, secrets...)
	if fault != nil {
		return nil, fault
	}
	m.prove = true
	answer, fault := c.send(ctx, m, bound)
	if fault != nil {
		return nil, fault
	}
	token, fault := c.readToken(answer, refusals, m.secrets)
	if fault != nil {
		fault.Op, fault.Status, fault.Sent = op, answer.Status, true
		fault.RequestID = c.requestID(answer, m.secrets)
		return nil, fault
	}
	// RFC 6749 section 5.1: "If omitted, the authorization server SHOULD
	// provide the expiration time via other means or document the default
	// value." A token that can be refreshed is not taken to live for ever.
	if renewable := !token.RefreshToken.IsZero() || form.Get("grant_type") == "refresh_token"; token.ExpiresIn == 0 && renewable {
		token.ExpiresIn = c.provider.AccessLifetime
		if token.ExpiresIn <= 0 {
			token.ExpiresIn = assumedLifetime
		}
	}
	return token, nil
}

// assumedLifetime is how long an access token is used of which nobody says how
// long it lives.
const assumedLifetime = 30 * time.Minute
