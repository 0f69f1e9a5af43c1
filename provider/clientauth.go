package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/authring/authring/secret"
)

// ClientAuth is how a client authenticates itself to the endpoints that it
// posts to.
type ClientAuth int

const (
	// AuthNone: not at all. The client is a public one, and sends its
	// identifier only (RFC 6749 section 3.2.1).
	AuthNone ClientAuth = iota

	// AuthBasic: with HTTP Basic authentication (RFC 6749 section 2.3.1).
	AuthBasic

	// AuthPost: with client_id and client_secret in the body (RFC 6749
	// section 2.3.1, which recommends it only where Basic cannot be used).
	AuthPost
)

var clientAuthNames = []string{AuthNone: "none", AuthBasic: "basic", AuthPost: "post"}

// String returns none, basic or post.
func (a ClientAuth) String() string {
	if a < 0 || int(a) >= len(clientAuthNames) {
		return fmt.Sprintf("ClientAuth(%d)", int(a))
	}
	return clientAuthNames[a]
}

// MarshalText writes the name that String gives.
func (a ClientAuth) MarshalText() ([]byte, error) {
	if a < 0 || int(a) >= len(clientAuthNames) {
		return nil, fmt.Errorf("%v is no client authentication", a)
	}
	return []byte(a.String()), nil
}

// UnmarshalText reads none, basic or post.
func (a *ClientAuth) UnmarshalText(text []byte) error {
	for i, name := range clientAuthNames {
		if name == string(text) {
			*a = ClientAuth(i)
			return nil
		}
	}
	return errors.New("there is no client authentication of that name; the names are none, basic and post")
}

// form makes the message that posts a form to an endpoint of the server, with
// the client's identity in it. What answers must not quote goes in secrets. The
// error is that of the client secret, which could not be had.
func (c *Client) form(ctx context.Context, op, address string, form url.Values, secrets ...secret.Secret) (message, *Error) {
	m := message{
		op: op, method: http.MethodPost, url: address, secrets: secrets,
		contentType: "application/x-www-form-urlencoded", header: http.Header{},
	}
	var password secret.Secret
	if c.provider.ClientAuth != AuthNone {
		var err error
		if password, err = c.secret(ctx); err != nil {
			return message{}, &Error{Op: op, Err: err}
		}
		m.secrets = append(m.secrets[:len(m.secrets):len(m.secrets)], password)
	}
	switch c.provider.ClientAuth {
	case AuthBasic:
		// RFC 6749 section 2.3.1: "The client identifier is encoded using
		// the "application/x-www-form-urlencoded" encoding algorithm per
		// Appendix B, and the encoded value is used as the username; the
		// client password is encoded using the same algorithm".
		request := http.Request{Header: m.header}
		request.SetBasicAuth(url.QueryEscape(c.appKey), url.QueryEscape(password.Reveal()))
		_, credentials, _ := strings.Cut(m.header.Get("Authorization"), " ")
		m.secrets = append(m.secrets, secret.New(credentials))
	case AuthPost:
		form.Set("client_id", c.appKey)
		form.Set("client_secret", password.Reveal())
	default:
		form.Set("client_id", c.appKey)
	}
	m.body = []byte(form.Encode())
	return m, nil
}
