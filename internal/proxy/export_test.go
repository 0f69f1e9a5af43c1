package proxy

import (
	"context"
	"io"
	"net"
	"net/http"

	"github.com/authring/authring/secret"
)

// Blacken gives tests the part that looks through answers.
func Blacken(resp *http.Response, token secret.Secret) { blacken(resp, token) }

// TransportOver is the transport of the package, on connections of another kind.
func TransportOver(dial func() net.Conn) *http.Transport {
	t := newTransport()
	t.DialContext = func(context.Context, string, string) (net.Conn, error) { return lively{dial()}, nil }
	return t
}

// Body is a request's body that can be sent again.
type Body struct{ *replay }

// NewBody makes one.
func NewBody(r io.Reader) Body { return Body{newReplay(r)} }

// Attempt begins to read it.
func (b Body) Attempt() io.ReadCloser { return b.attempt() }

// Again ends that, and tells whether there can be another.
func (b Body) Again() bool { return b.again() }

// ReplayLimit is how much is kept.
const ReplayLimit = replayLimit
