package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// The bounds of a connection. A long poll of Dropbox is answered after up to
// 480 seconds, and up to 90 more that are added so that not all come at once.
const (
	dialBound     = 30 * time.Second
	headerBound   = 15 * time.Minute // from the request to the head of the answer
	stillBound    = 15 * time.Minute // without a byte in either direction
	keepBound     = 90 * time.Second // a connection that is kept for the next request
	continueBound = time.Second      // for a server that does not know 100-continue
	maxAnswerHead = 64 << 10
)

// newTransport makes the transport to the provider. It speaks HTTP/1.1: one
// connection for each request that is under way, as fast as the network is, and
// 100-continue as RFC 9110 has it.
func newTransport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		// Never for a loopback address; a proxy sees no more than CONNECT.
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dial,
		TLSHandshakeTimeout:    dialBound,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ResponseHeaderTimeout:  headerBound,
		ExpectContinueTimeout:  continueBound,
		IdleConnTimeout:        keepBound,
		MaxIdleConnsPerHost:    16,
		MaxResponseHeaderBytes: maxAnswerHead,
		DisableCompression:     true,
		Protocols:              &protocols,
	}
}

// dial connects, and holds loopback names to what they say: a name service that
// lies about localhost would else get the token in plain text.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialBound}
	if isLoopbackName(hostname(address)) {
		d.Control = func(_, resolved string, _ syscall.RawConn) error {
			if !isLoopbackName(hostname(resolved)) {
				return fmt.Errorf("%s leads to another machine", address)
			}
			return nil
		}
	}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return lively{conn}, nil
}

// lively is a connection that ends when nothing moves any more. A byte in one
// direction is life in both: an upload of hours waits as long for its answer.
type lively struct{ net.Conn }

func (l lively) Read(p []byte) (int, error) {
	if err := l.SetDeadline(time.Now().Add(stillBound)); err != nil {
		return 0, err
	}
	return l.Conn.Read(p)
}

func (l lively) Write(p []byte) (int, error) {
	if err := l.SetDeadline(time.Now().Add(stillBound)); err != nil {
		return 0, err
	}
	return l.Conn.Write(p)
}
