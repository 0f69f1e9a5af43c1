// Package provider speaks to the server that issues tokens: its endpoints, its
// quirks, and a token client that trusts no network.
//
// A [Provider] is data. [Dropbox] is one; a program defines another by filling
// in the fields. A [Client] is a provider and the app key of a program; it does
// the steps of RFC 6749 (the authorization code grant, and refreshing), with
// PKCE (RFC 7636), and calls the provider's interface to learn whose account it
// is, to test a token, and to revoke it. The package stores nothing.
//
// # What the client does not do
//
// It follows no redirect, keeps no cookie, speaks plain http to this machine
// only, reads no answer beyond 1 MiB, waits for nothing without a bound, and
// sends a single-use authorization code at most once. Its errors and its log
// hold no code, no token, and no body.
package provider

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authring/authring/secret"
)

// Replay says whether the same refresh token may be redeemed again when the
// answer to an earlier try was lost.
type Replay int

const (
	// ReplaySingleUse: never; the server may take a second use for theft and
	// revoke the grant (RFC 9700 section 4.14.2). A refresh is tried again
	// only if the server cannot have acted on it.
	ReplaySingleUse Replay = iota

	// ReplayGrace: for a short while. A refresh is tried again only within
	// [Provider.Window] of its first try.
	ReplayGrace

	// ReplayReusable: always; refresh tokens are not rotated.
	ReplayReusable
)

// Provider describes a server. It must not be changed once a [Client] has it.
type Provider struct {
	Name  string // as records keep it: lower case, no spaces
	Title string // as people know it

	// Issuer is the server's issuer identifier (RFC 8414 section 2): what the
	// iss of an authorization response (RFC 9207) and of an ID token must be.
	// It may be empty.
	Issuer string

	// AuthURL is the authorization endpoint (RFC 6749 section 3.1), opened in
	// the user's browser; TokenURL is the token endpoint (section 3.2). These
	// and all other endpoints are https, or http on this machine. The others
	// may be empty.
	AuthURL, TokenURL string

	// DeviceURL is the device authorization endpoint (RFC 8628 section 3.1).
	DeviceURL string

	// PARURL is the pushed authorization request endpoint (RFC 9126 section
	// 2); RequirePAR says that the server takes no other authorization
	// request (section 5).
	PARURL     string
	RequirePAR bool

	// RevokeURL is the revocation endpoint (RFC 7009 section 2).
	RevokeURL string

	// UserinfoURL is the page that says whose an access token is: the
	// UserInfo endpoint of OpenID Connect Core section 5.3, or another one
	// that answers GET with a JSON object. AccountFields are its members.
	UserinfoURL   string
	AccountFields AccountFields

	// JWKSURL is where the keys are that ID tokens are signed with (RFC 8414
	// section 2, jwks_uri).
	JWKSURL string

	// ClientID is the client identifier (RFC 6749 section 2.2) of programs
	// that bring none of their own. It may be empty.
	ClientID string

	// ClientAuth is how the program shows the token endpoint, and the other
	// endpoints that it posts to, who it is.
	ClientAuth ClientAuth

	// AuthParams are extra parameters of the authorization request.
	AuthParams url.Values

	// DefaultScope is what is asked for when nothing else is. ScopeSeparator
	// stands between scopes in requests, GrantedSeparator in answers; empty
	// is a space, which RFC 6749 section 3.3 has.
	DefaultScope     []string
	ScopeSeparator   string
	GrantedSeparator string

	// ScopeIncludes are scopes that answers name, each with others that were
	// asked for and are granted with it, and that answers then leave out: parts
	// of it, or what it is called in requests.
	ScopeIncludes map[string][]string

	// NarrowsScope says that a refresh can ask for an access token of less
	// than the grant's scope (RFC 6749 section 6).
	NarrowsScope bool

	// DPoPAlgs are the algorithms in which the server takes DPoP proofs (RFC
	// 9449 section 5.1); none: it takes no such proofs.
	DPoPAlgs []string

	// IssParameter says that the server adds iss to each authorization
	// response (RFC 9207 section 3), so that one without is not the server's.
	IssParameter bool

	// RedirectURI is the redirect URI that programs on this machine are
	// registered with, without its port, such as http://127.0.0.1/callback;
	// empty is http://127.0.0.1/. RFC 8252 section 7.3: the server "MUST
	// allow any port to be specified at the time of the request". One that
	// compares ports has ExactRedirect, and RedirectPorts are then those that
	// are registered: without any, nothing can be redirected to.
	RedirectURI   string
	RedirectPorts []int
	ExactRedirect bool

	// RedirectNeedsSecret says that the server exchanges authorization codes
	// only for clients with a secret, while it takes device codes from others
	// too: with [AuthNone], nothing can be redirected to.
	RedirectNeedsSecret bool

	// NoRedirectCode says that an authorization request without a redirect
	// URI ends on a page of the server that shows the code, to be pasted.
	NoRedirectCode bool

	// Replay says whether a refresh token outlives its use, and Rotates that
	// each refresh gives a new one.
	Replay  Replay
	Rotates bool

	// GraceWindow is how long [ReplayGrace] lasts; 0 means
	// [DefaultGraceWindow].
	GraceWindow time.Duration

	// IdleLifetime is how long a refresh token lives that is not used,
	// AbsoluteLifetime how long a grant lives however often it is used; 0 is
	// for ever, or unknown.
	IdleLifetime, AbsoluteLifetime time.Duration

	// AccessLifetime is how long an access token lives where the answer that
	// brings it does not say (RFC 6749 section 5.1); 0 is unknown.
	AccessLifetime time.Duration

	// Refusals tell apart what the server puts under one error code of its
	// token endpoint. The first that fits is taken. They are for the exchange
	// of a code and for the client's own identity; that invalid_grant means
	// [ErrRevoked] in a refresh, and nothing else does, cannot be changed.
	Refusals []Refusal

	// RefusesWithOK says that the token endpoint puts its refusals into
	// answers of status 200.
	RefusesWithOK bool

	// AccountIDField and TeamIDField name the members of a token answer that
	// hold these, if the server has any.
	AccountIDField, TeamIDField string

	// Hosts are the hosts of the provider's interface, each with its port if
	// that is not the usual one: where access tokens may be sent to.
	Hosts []string

	// TokenVariable is the environment variable in which the provider's own
	// tools expect an access token. It may be empty.
	TokenVariable string

	// TokenRoutes are the paths on Hosts below which tokens are made or
	// ended: what the token alone lets one do to the grant itself. A proxy
	// that adds tokens to the requests of others refuses them.
	TokenRoutes []string

	// RequestIDHeader names the header of an answer that holds the server's
	// name for the request. It may be empty.
	RequestIDHeader string

	// ManageURL is the page on which users see the programs that they have
	// given access. It may be empty.
	ManageURL string

	// Account asks whose token it is. Check asks whether the token works, as
	// cheaply as the server allows. Both may be nil: then UserinfoURL is
	// asked. They are called from several goroutines at once.
	Account func(ctx context.Context, api *API, accessToken secret.Secret) (Account, error)
	Check   func(ctx context.Context, api *API, accessToken secret.Secret) error

	// Revoke withdraws the grant that an access token belongs to, where the
	// server has a way of its own; a token that is already withdrawn is a
	// success. Nil: the grant is revoked by its refresh token, at RevokeURL.
	Revoke func(ctx context.Context, api *API, accessToken secret.Secret) error

	// APIFault reads an answer of the provider's interface that is not a
	// success. Nil means by its status and RFC 6750 section 3.
	APIFault func(*Answer) Fault
}

// Serves reports whether an address is one that an access token may be sent to:
// on one of the provider's hosts, over https, or over http on this machine.
func (p *Provider) Serves(u *url.URL) bool {
	usual := ":443"
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		usual = ":80"
	default:
		return false
	}
	return slices.ContainsFunc(p.Hosts, func(host string) bool {
		return strings.EqualFold(strings.TrimSuffix(host, usual), strings.TrimSuffix(u.Host, usual))
	})
}

// Window is how long after its first use a refresh token may be presented
// again, where the provider's rule is [ReplayGrace].
func (p *Provider) Window() time.Duration {
	if p.GraceWindow > 0 {
		return p.GraceWindow
	}
	return DefaultGraceWindow
}

// Validate reports what is missing from a provider, or unsafe about it, as
// [NewClient] does.
func (p *Provider) Validate() error { return p.check() }

// check reports what is missing or unsafe.
func (p *Provider) check() error {
	if p.Name == "" {
		return errors.New("the provider has no name")
	}
	for _, e := range []struct {
		what, address string
		needed        bool
	}{
		{"authorization endpoint", p.AuthURL, true}, {"token endpoint", p.TokenURL, true}, {"issuer", p.Issuer, false},
		{"device authorization endpoint", p.DeviceURL, false}, {"pushed authorization request endpoint", p.PARURL, false},
		{"revocation endpoint", p.RevokeURL, false}, {"userinfo endpoint", p.UserinfoURL, false}, {"page of keys", p.JWKSURL, false},
	} {
		if e.address == "" && !e.needed {
			continue
		}
		if _, err := parseEndpoint(e.address); err != nil {
			return fmt.Errorf("could not use provider %s: its %s: %w", p.Name, e.what, err)
		}
	}
	for _, host := range p.Hosts {
		if u, err := url.Parse("https://" + host); err != nil || u.Host != host || u.Hostname() == "" || strings.ContainsAny(host, "* ") {
			return fmt.Errorf("could not use provider %s: %.80q is not a host, such as api.example.org or 127.0.0.1:8080", p.Name, host)
		}
	}
	if p.ClientID != "" && !isVisible(p.ClientID, maxClientID) {
		return fmt.Errorf("could not use provider %s: %w", p.Name, errClientID)
	}
	if p.RequirePAR && p.PARURL == "" {
		return fmt.Errorf("could not use provider %s: it requires pushed authorization requests, and has no endpoint for them", p.Name)
	}
	if _, err := p.redirect(); err != nil {
		return fmt.Errorf("could not use provider %s: %w", p.Name, err)
	}
	for _, r := range p.Refusals {
		if r.Kind == nil || errors.Is(r.Kind, ErrRevoked) {
			return fmt.Errorf("could not use provider %s: its refusal %s has no kind that it may have", p.Name, r.Code)
		}
	}
	return nil
}

// maxClientID bounds a client identifier, in bytes.
const maxClientID = 256

var errClientID = errors.New("a client id (app key) must be letters, digits and signs without spaces")
