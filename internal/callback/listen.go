package callback

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// place is a redirect URI that can be listened at.
type place struct {
	uri  string // as registered; without its port where that is 0
	url  url.URL
	host string
	port int // 0: any that is free
}

// CheckURI refuses a redirect URI that no receiver can have: RFC 8252 section
// 7.3 has "http://127.0.0.1:{port}/{path}" and "http://[::1]:{port}/{path}";
// some servers want the name localhost.
func CheckURI(uri string) error {
	_, err := parsePlace(uri)
	return err
}

func parsePlace(uri string) (place, error) {
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return place{}, errors.New("the redirect URI is not a URL")
	case u.Scheme != "http":
		return place{}, errors.New("the redirect URI does not begin with http://")
	case u.User != nil, u.Fragment != "", strings.Contains(uri, "#"):
		return place{}, errors.New("the redirect URI must hold no user name and no fragment")
	case u.Path == donePath:
		return place{}, errors.New("the redirect URI has the path " + donePath + ", which is used for the page at the end")
	}
	p := place{uri: uri, url: *u, host: u.Hostname()}
	if addr, err := netip.ParseAddr(p.host); p.host != "localhost" && (err != nil || addr != v4 && addr != v6) {
		return place{}, errors.New("the redirect URI is not on this machine: it must be at 127.0.0.1, [::1] or localhost")
	}
	if port := u.Port(); port != "" {
		if p.port, err = strconv.Atoi(port); err != nil || p.port < 0 || p.port > 65535 {
			return place{}, errors.New("the redirect URI has no port that there is")
		}
	}
	return p, nil
}

var (
	v4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	v6 = netip.IPv6Loopback()
)

// listen takes the port of the place on both loopback addresses.
//
// RFC 8252 section 7.3: "it is RECOMMENDED that clients attempt to bind to the
// loopback interface using both IPv4 and IPv6 and use whichever is available."
// Where both are there and one has the port in use, somebody else would get
// what is sent to it: then another port has to do.
func (p place) listen() (listeners []net.Listener, port int, err error) {
	for range 20 {
		listeners, port, err = p.listenOnce()
		if err == nil || p.port != 0 {
			break
		}
	}
	switch {
	case err == nil:
		return listeners, port, nil
	case isTaken(err):
		return nil, 0, fmt.Errorf("could not wait at %s: another program has its port", p.uri)
	default:
		return nil, 0, fmt.Errorf("could not wait at %s: %w", p.uri, err)
	}
}

func (p place) listenOnce() (listeners []net.Listener, port int, err error) {
	port = p.port
	have := map[netip.Addr]bool{}
	var missing error
	for _, addr := range []netip.Addr{v4, v6} {
		listener, err := net.Listen("tcp", netip.AddrPortFrom(addr, uint16(port)).String())
		switch {
		case err == nil:
			have[addr] = true
			listeners = append(listeners, listener)
			port = listener.Addr().(*net.TCPAddr).Port
		case isMissing(err):
			missing = err
		default:
			closeAll(listeners)
			return nil, 0, err
		}
	}
	if addr, err := netip.ParseAddr(p.host); len(have) == 0 || err == nil && !have[addr] {
		closeAll(listeners)
		return nil, 0, missing
	}
	return listeners, port, nil
}

func closeAll(listeners []net.Listener) {
	for _, listener := range listeners {
		_ = listener.Close() // nothing is lost with it
	}
}

// at is the redirect URI with its port.
func (p place) at(port int) string {
	if p.port != 0 {
		return p.uri // to the byte, as it is registered
	}
	u := p.url
	u.Host = net.JoinHostPort(p.host, strconv.Itoa(port))
	return u.String()
}
