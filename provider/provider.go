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
	"net"
	"net/netip"
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

	// AuthURL is the authorization endpoint (RFC 6749 section 3.1), opened in
	// the user's browser; TokenURL is the token endpoint (section 3.2). Both
	// are https, or http on this machine.
	AuthURL, TokenURL string

	// AuthParams are extra parameters of the authorization request.
	AuthParams url.Values

	// Replay says whether a refresh token outlives its use.
	Replay Replay

	// GraceWindow is how long [ReplayGrace] lasts; 0 means
	// [DefaultGraceWindow].
	GraceWindow time.Duration

	// Refusals tell apart what the server puts under one error code of its
	// token endpoint. The first that fits is taken. They are for the exchange
	// of a code and for the client's own identity; that invalid_grant means
	// [ErrRevoked] in a refresh, and nothing else does, cannot be changed.
	Refusals []Refusal

	// AccountIDField and TeamIDField name the members of a token answer that
	// hold these, if the server has any.
	AccountIDField, TeamIDField string

	// Hosts are the hosts of the provider's interface, each with its port if
	// that is not the usual one: where access tokens may be sent to.
	Hosts []string

	// RequestIDHeader names the header of an answer that holds the server's
	// name for the request. It may be empty.
	RequestIDHeader string

	// ManageURL is the page on which users see the programs that they have
	// given access. It may be empty.
	ManageURL string

	// Account asks whose token it is. Check asks whether the token works, as
	// cheaply as the server allows. Revoke withdraws the grant that the token
	// belongs to; a token that is already withdrawn is a success. Each may be
	// nil. They are called from several goroutines at once.
	Account func(ctx context.Context, api *API, accessToken secret.Secret) (Account, error)
	Check   func(ctx context.Context, api *API, accessToken secret.Secret) error
	Revoke  func(ctx context.Context, api *API, accessToken secret.Secret) error

	// APIFault reads an answer of the provider's interface that is not a
	// success. Nil means by its status and RFC 6750 section 3.
	APIFault func(*Answer) Fault
}

// Refusal maps an error of the token endpoint to its kind.
type Refusal struct {
	Code     string // error, RFC 6749 section 5.2
	Contains string // part of error_description; empty fits every one
	Kind     error
}

// Account is who a token belongs to. Only the ID is always set.
type Account struct {
	ID          string // stable, the provider's own
	Email       string
	DisplayName string
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

// check reports what is missing or unsafe.
func (p *Provider) check() error {
	if p.Name == "" {
		return errors.New("the provider has no name")
	}
	for _, endpoint := range []string{p.AuthURL, p.TokenURL} {
		if _, err := parseEndpoint(endpoint); err != nil {
			return fmt.Errorf("could not use provider %s: %w", p.Name, err)
		}
	}
	for _, r := range p.Refusals {
		if r.Kind == nil || errors.Is(r.Kind, ErrRevoked) {
			return fmt.Errorf("could not use provider %s: its refusal %s has no kind that it may have", p.Name, r.Code)
		}
	}
	return nil
}

// parseEndpoint accepts a URL that a secret may be sent to, or that a user's
// browser may be sent to.
//
// RFC 6749 section 3.1 and 3.2: "The endpoint URI MUST NOT include a fragment
// component", and the server "MUST require the use of TLS". A plain connection
// is let through where it does not leave the machine.
func parseEndpoint(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		// The parser's error quotes all of its input.
		return nil, errors.New("the address of an endpoint is not a URL")
	case u.Host == "" || u.Hostname() == "":
		return nil, errors.New("the address of an endpoint names no host")
	case u.User != nil:
		return nil, errors.New("the address of an endpoint must not hold a user name or password")
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return nil, errors.New("the address of an endpoint must not hold a fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	case u.Scheme == "http":
		return nil, fmt.Errorf("the endpoint at %s must be https: plain http is for this machine only", u.Host)
	}
	return nil, fmt.Errorf("the endpoint at %s must be https", u.Host)
}

// isLoopback reports whether a host is this machine by its spelling alone.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Zone() == "" && addr.Unmap().IsLoopback()
}

// isLoopbackAddr is isLoopback for host:port.
func isLoopbackAddr(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && isLoopback(host)
}
