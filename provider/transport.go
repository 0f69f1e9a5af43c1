package provider

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Timeouts bound the phases of one try of a request. A zero field keeps its
// default.
type Timeouts struct {
	Dial   time.Duration // looking the host up and connecting: 10 s
	TLS    time.Duration // the TLS handshake: 10 s
	Header time.Duration // from the request to the head of the answer: 20 s
	Total  time.Duration // all of the try, the body included: 30 s
}

func (t Timeouts) withDefaults() Timeouts {
	for _, field := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&t.Dial, 10 * time.Second},
		{&t.TLS, 10 * time.Second},
		{&t.Header, 20 * time.Second},
		{&t.Total, 30 * time.Second},
	} {
		if *field.value <= 0 {
			*field.value = field.standard
		}
	}
	return t
}

// maxHeader bounds the head of an answer, in bytes.
const maxHeader = 64 << 10

// newTransport makes a transport that opens one HTTP/1.1 connection for each
// request. Requests are hours apart, so that nothing is gained by keeping
// connections, and two things are lost: a connection that died while the
// machine slept would eat the one try that a code has, and net/http sends a
// request again by itself only on a connection that was used before.
func newTransport(bounds Timeouts) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		// Never for a loopback address.
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer(bounds.Dial),
		TLSHandshakeTimeout:    bounds.TLS,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ResponseHeaderTimeout:  bounds.Header,
		MaxResponseHeaderBytes: maxHeader,
		DisableKeepAlives:      true,
		// A compressed answer could be small on the wire and large here.
		DisableCompression: true,
		Protocols:          &protocols,
	}
}

// usualTransport is that of all clients with the usual bounds. It keeps no
// connection, so that they share nothing but its memory, of which an agent with
// a thousand links would have a thousand.
var usualTransport = sync.OnceValue(func() *http.Transport { return newTransport(Timeouts{}.withDefaults()) })

// transportOf is a transport with these bounds.
func transportOf(bounds Timeouts) *http.Transport {
	if bounds == (Timeouts{}).withDefaults() {
		return usualTransport()
	}
	return newTransport(bounds)
}

// dialer connects, and holds the name localhost to what it says: a name
// service that lies about it would else get a secret in plain text.
func dialer(bound time.Duration) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{Timeout: bound}
		if isLoopbackAddr(address) {
			d.Control = func(_, resolved string, _ syscall.RawConn) error {
				if !isLoopbackAddr(resolved) {
					return fmt.Errorf("%s leads to another machine", address)
				}
				return nil
			}
		}
		return d.DialContext(ctx, network, address)
	}
}
