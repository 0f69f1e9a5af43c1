package provider

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
)

// defaultRedirect is the redirect URI of a provider that names none.
const defaultRedirect = "http://127.0.0.1/"

// ErrNoRedirect: a redirect would be refused, since the server compares ports
// and none is known to be registered.
var ErrNoRedirect = errors.New("no redirect URI is known to be registered")

// ErrRedirectNeedsSecret: a redirect would be in vain, since the server
// exchanges authorization codes only for clients with a secret, and this one
// has none. Link by device code, or give the secret.
var ErrRedirectNeedsSecret = errors.New("authorization codes are exchanged only with a client secret")

// RedirectAt returns the redirect URI (RFC 6749 section 3.1.2) for a program
// that listens on a port of this machine. Port 0 is for a program that does not
// listen, whose user copies the address that the browser ends at: it is the
// first of RedirectPorts, or no port. Where a port cannot be registered with
// the server, or no code would be exchanged, there is an error.
//
// RFC 8252 section 7.3: "The authorization server MUST allow any port to be
// specified at the time of the request for loopback IP redirect URIs".
func (p *Provider) RedirectAt(port int) (string, error) {
	u, err := p.redirect()
	if err != nil {
		return "", err
	}
	listed := len(p.RedirectPorts) > 0
	switch {
	case p.RedirectNeedsSecret && p.ClientAuth == AuthNone:
		return "", fmt.Errorf("%w by %s", ErrRedirectNeedsSecret, p.Title)
	case p.ExactRedirect && !listed:
		return "", fmt.Errorf("%w with %s", ErrNoRedirect, p.Title)
	case port == 0 && listed:
		port = p.RedirectPorts[0]
	case port != 0 && listed && !slices.Contains(p.RedirectPorts, port):
		return "", fmt.Errorf("%w with %s for port %d", ErrNoRedirect, p.Title, port)
	}
	if port != 0 {
		u.Host = net.JoinHostPort(u.Hostname(), strconv.Itoa(port))
	}
	return u.String(), nil
}

// redirect is the redirect URI without its port.
func (p *Provider) redirect() (*url.URL, error) {
	raw := p.RedirectURI
	if raw == "" {
		raw = defaultRedirect
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil, u.Scheme != "http", !isLoopback(u.Hostname()), u.Port() != "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("its redirect URI is not of this machine, such as http://127.0.0.1/callback without a port")
	case slices.ContainsFunc(p.RedirectPorts, func(port int) bool { return port < 1 || port > 65535 }):
		return nil, errors.New("one of its redirect ports is none")
	}
	return u, nil
}
