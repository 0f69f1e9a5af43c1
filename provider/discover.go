package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Discover asks a server what it says of itself: as RFC 8414 section 3 has it,
// and, where there is nothing, as OpenID Connect Discovery section 4 has it. The
// issuer is https, or http on this machine. Redirects are not followed. What is
// found may send secrets to other hosts ([Metadata.Hosts]): a person should
// accept it once, and a program keep what was accepted.
//
// RFC 8414 section 3.3: "The "issuer" value returned MUST be identical to the
// authorization server's issuer identifier value into which the well-known URI
// string was inserted to create the URL used to retrieve the metadata. If these
// values are not identical, the data contained in the response MUST NOT be
// used." An endpoint on this machine is refused unless the issuer is here too.
func Discover(ctx context.Context, issuer string, opts ...ClientOption) (*Metadata, error) {
	u, err := parseEndpoint(issuer)
	if err == nil && (u.RawQuery != "" || u.ForceQuery) {
		err = errors.New("an issuer must not hold a query")
	}
	if err != nil {
		return nil, fmt.Errorf("could not use the issuer: %w", err)
	}
	c := &Client{provider: &Provider{Name: "discovery", Title: u.Host}, log: slog.New(slog.DiscardHandler)}
	for _, opt := range opts {
		opt(c)
	}
	c.bounds, c.patience = c.bounds.withDefaults(), c.patience.withDefaults()
	if c.transport == nil {
		c.transport = newTransport(c.bounds)
	}
	defer c.CloseIdleConnections()

	var found *Metadata
	var first error
	for _, address := range wellKnown(u) {
		one, err := c.discover(ctx, issuer, address)
		var fault *Error
		switch {
		case err == nil && found == nil:
			found = one
		case err == nil:
			found.complete(one)
		case found != nil:
			// What was found first is enough.
		case !errors.As(err, &fault) || !fault.nothingThere():
			return nil, err
		case first == nil:
			first = err
		}
		if found != nil && found.UserinfoURL != "" && found.JWKSURL != "" {
			break
		}
	}
	if found == nil {
		return nil, first
	}
	return found, nil
}

// wellKnown are the addresses at which an issuer can describe itself.
//
// RFC 8414 section 3.1: "If the issuer identifier value contains a path
// component, any terminating "/" MUST be removed before inserting
// "/.well-known/" and the well-known URI suffix between the host component and
// the path component." OpenID Connect Discovery section 4.1 appends instead.
func wellKnown(issuer *url.URL) []string {
	root := issuer.Scheme + "://" + issuer.Host
	path := strings.TrimSuffix(issuer.EscapedPath(), "/")
	return []string{
		root + "/.well-known/oauth-authorization-server" + path,
		root + path + "/.well-known/openid-configuration",
	}
}

// nothingThere reports whether an answer says only that there is no document.
func (e *Error) nothingThere() bool {
	return e.Status >= 300 && e.Status < 500 && e.Status != http.StatusTooManyRequests ||
		e.Status == http.StatusOK && e.noDocument
}

func (c *Client) discover(ctx context.Context, issuer, address string) (*Metadata, error) {
	const op = "read what the server says of itself"
	var metadata *Metadata
	again := func(fault *Error, _ time.Duration) bool {
		return transient(fault) && (fault.Status == 0 || fault.Status >= 500 || fault.Status == http.StatusTooManyRequests)
	}
	err := c.retry(ctx, again, func(bound time.Duration) *Error {
		answer, fault := c.send(ctx, message{op: op, method: http.MethodGet, url: address}, bound)
		if fault != nil {
			return fault
		}
		if metadata, fault = readMetadata(answer, issuer); fault != nil {
			fault.Op, fault.Status, fault.Sent = op, answer.Status, true
			return fault
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return metadata, nil
}

func readMetadata(answer *Answer, issuer string) (*Metadata, *Error) {
	if fault := readTrouble(answer, nil); fault != nil {
		return nil, fault
	}
	if answer.Status != http.StatusOK {
		return nil, &Error{Kind: ErrUnexpectedAnswer, Err: errors.New("there is no such document")}
	}
	members, err := readObject(answer)
	if err != nil {
		return nil, &Error{Kind: ErrUnexpectedAnswer, Err: err, noDocument: true}
	}
	m := &Metadata{
		Issuer:       members.text("issuer"),
		AuthURL:      members.text("authorization_endpoint"),
		TokenURL:     members.text("token_endpoint"),
		DeviceURL:    members.text("device_authorization_endpoint"),
		PARURL:       members.text("pushed_authorization_request_endpoint"),
		RevokeURL:    members.text("revocation_endpoint"),
		UserinfoURL:  members.text("userinfo_endpoint"),
		JWKSURL:      members.text("jwks_uri"),
		RequirePAR:   members.flag("require_pushed_authorization_requests"),
		IssParameter: members.flag("authorization_response_iss_parameter_supported"),
		DPoPAlgs:     members.list("dpop_signing_alg_values_supported"),
		Scopes:       members.list("scopes_supported"),
		AuthMethods:  members.list("token_endpoint_auth_methods_supported"),

		ChallengeMethods: members.list("code_challenge_methods_supported"),
	}
	if err := m.check(issuer); err != nil {
		return nil, unexpected(err)
	}
	return m, nil
}

// flag is a member that is true.
func (o object) flag(name string) bool {
	var value bool
	return json.Unmarshal(o[name], &value) == nil && value
}

// list is a member that is an array of strings without spaces, or nil.
func (o object) list(name string) []string {
	var values []string
	if json.Unmarshal(o[name], &values) != nil {
		return nil
	}
	values = slices.DeleteFunc(values, func(value string) bool { return !isVisible(value, 128) })
	return values[:min(len(values), 256)]
}
