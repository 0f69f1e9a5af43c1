package provider

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// maxEndpoint bounds the address of an endpoint, in bytes.
const maxEndpoint = 2 << 10

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
	case raw != "" && !isVisible(raw, maxEndpoint):
		// RFC 3986 section 2: a URI is of US-ASCII. What is shown to people
		// must not look like another address.
		return nil, errors.New("the address of an endpoint is too long, or has characters that no URL has; names of hosts in other scripts begin with xn--")
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
