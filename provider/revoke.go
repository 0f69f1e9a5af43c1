package provider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/authring/authring/secret"
)

// Revocation is how a grant can be withdrawn.
type Revocation int

const (
	// RevokeNever: not by a program; [Provider.ManageURL] may help.
	RevokeNever Revocation = iota

	// RevokeByAccess: with one of its access tokens, by [Client.Revoke].
	RevokeByAccess

	// RevokeByRefresh: with its refresh token, by [Client.RevokeToken].
	RevokeByRefresh
)

// Revocation tells how the provider withdraws a grant.
func (p *Provider) Revocation() Revocation {
	switch {
	case p.Revoke != nil:
		return RevokeByAccess
	case p.RevokeURL != "":
		return RevokeByRefresh
	}
	return RevokeNever
}

// Revoke withdraws the grant that the access token belongs to. A token that is
// already withdrawn is a success; one that has expired ([ErrExpiredToken])
// must be refreshed first, as its grant is alive. Where the provider has no way
// of its own it is [Client.RevokeToken] of an access token, of which RFC 7009
// section 2.1 does not promise that it ends the grant.
func (c *Client) Revoke(ctx context.Context, accessToken secret.Secret) error {
	if c.provider.Revoke == nil {
		return c.RevokeToken(ctx, accessToken, AccessTokenHint)
	}
	api := c.api("revoke the grant", accessToken)
	return api.wrap(c.provider.Revoke(ctx, api, accessToken))
}

// The kinds of token that a revocation can be about (RFC 7009 section 2.1).
const (
	AccessTokenHint  = "access_token"
	RefreshTokenHint = "refresh_token"
)

// RevokeToken withdraws a token (RFC 7009 section 2.1), and with a refresh
// token the grant that it belongs to. A token that is not valid any more is a
// success. Without [Provider.RevokeURL] the error is errors.ErrUnsupported.
func (c *Client) RevokeToken(ctx context.Context, token secret.Secret, hint string) error {
	const op = "revoke the grant"
	if c.provider.RevokeURL == "" {
		return c.api(op, token).unsupported()
	}
	again := func(fault *Error, _ time.Duration) bool { return transient(fault) }
	return c.retry(ctx, again, func(bound time.Duration) *Error {
		form := url.Values{"token": {token.Reveal()}, "token_type_hint": {hint}}
		m, fault := c.form(ctx, op, c.provider.RevokeURL, form, token)
		if fault != nil {
			return fault
		}
		answer, fault := c.send(ctx, m, bound)
		if fault != nil {
			return fault
		}
		if fault := c.readRevocation(answer, m.secrets); fault != nil {
			fault.Op, fault.Status, fault.Sent = op, answer.Status, true
			fault.RequestID = c.requestID(answer, m.secrets)
			return fault
		}
		return nil
	})
}

// readRevocation reads an answer of the revocation endpoint.
//
// RFC 7009 section 2.2: "The authorization server responds with HTTP status
// code 200 if the token has been revoked successfully or if the client
// submitted an invalid token." Some answer with an error invalid_token to the
// latter. "The content of the response body is ignored by the client as all
// necessary information is conveyed in the response code."
func (c *Client) readRevocation(answer *Answer, secrets []secret.Secret) *Error {
	if answer.Status == http.StatusOK || answer.Status == http.StatusNoContent {
		if mediaType(answer.Header) == "text/html" && len(answer.Body) > 0 {
			return unexpected(errors.New("it is a web page; this network may want a login first"))
		}
		return nil
	}
	fault := readTrouble(answer, secrets)
	members, err := readObject(answer)
	if fault == nil && err != nil {
		return unreadable(answer, err)
	}
	code, description := readRefusal(members, secrets)
	if fault == nil {
		if answer.Status < 500 && code == "invalid_token" {
			return nil
		}
		fault = &Error{Kind: ErrServerFault}
		switch code {
		case "invalid_client", "unauthorized_client":
			fault.Kind = ErrInvalidClient
		case "unsupported_token_type":
			// RFC 7009 section 2.2.1: the server "does not support the
			// revocation of the presented token type".
			fault.Kind, fault.Err = ErrInvalidToken, errors.ErrUnsupported
		}
	}
	fault.Code, fault.Description = code, description
	return fault
}
