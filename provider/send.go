package provider

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/authring/authring/secret"
)

// maxBody bounds the body of an answer, in bytes.
const maxBody = 1 << 20

// userAgent is how the client presents itself.
const userAgent = "authring"

// message is a request that has not been sent.
type message struct {
	op          string
	method, url string
	contentType string
	body        []byte
	header      http.Header     // further header fields; may be nil
	bearer      secret.Secret   // RFC 6750 section 2.1; may be empty
	prove       bool            // with a DPoP proof, if the client has a key
	secrets     []secret.Secret // what its answer must not be quoted with
}

// Answer is what a server answered, its body read to the end.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most 1 MiB

	// broken is why the body is not whole, or nil.
	broken *Error
}

// send does one try of a request: one connection, one request, one answer. The
// error is nil once a status line came.
func (c *Client) send(ctx context.Context, m message, bound time.Duration) (*Answer, *Error) {
	began := time.Now()
	answer, fault := c.roundTrip(ctx, m, bound)
	attrs := []any{"op", m.op, "took", time.Since(began)}
	switch {
	case fault != nil:
		c.log.DebugContext(ctx, "no answer", append(attrs, "error", fault)...)
	default:
		c.log.DebugContext(ctx, "answer", append(attrs, "status", answer.Status,
			"request_id", c.requestID(answer, m.secrets))...)
	}
	return answer, fault
}

// roundTrip is one request, and one more where the server asks for another
// proof: with a nonce, or by its own clock.
func (c *Client) roundTrip(caller context.Context, m message, bound time.Duration) (*Answer, *Error) {
	target, err := parseEndpoint(m.url)
	if err != nil {
		return nil, &Error{Op: m.op, Kind: ErrUnreachable, Err: err}
	}
	for asked := ""; ; {
		answer, fault := c.roundTripOnce(caller, m, target, bound)
		if c.dpop == nil || fault != nil {
			return answer, fault
		}
		// Who asks for both gets both, and each once.
		again := c.dpop.challenge(answer.Status, answer.Header, answer.Body, target)
		if again == "" || strings.Contains(asked, again) || !m.proves() {
			return answer, nil
		}
		asked += again
	}
}

// proves reports whether a request carries a proof, if there is a key.
func (m message) proves() bool { return m.prove || !m.bearer.IsZero() }

func (c *Client) roundTripOnce(caller context.Context, m message, target *url.URL, bound time.Duration) (*Answer, *Error) {
	ctx, cancel := context.WithTimeout(caller, bound)
	defer cancel()
	req := (&http.Request{
		Method: m.method,
		URL:    target,
		Host:   target.Host,
		Header: http.Header{
			"Accept":     {"application/json"},
			"User-Agent": {userAgent},
		},
	}).WithContext(ctx)
	for name, values := range m.header {
		req.Header[name] = values
	}
	switch {
	case c.dpop != nil && m.proves():
		if err := c.dpop.Authorize(req, m.bearer); err != nil {
			return nil, &Error{Op: m.op, Kind: ErrUnreachable, Err: err}
		}
	case !m.bearer.IsZero():
		req.Header.Set("Authorization", "Bearer "+m.bearer.Reveal())
	}
	var body *oneShot
	if m.body != nil {
		// No GetBody: without it net/http never sends the body again.
		body = &oneShot{reader: bytes.NewReader(m.body)}
		req.Body = body
		req.ContentLength = int64(len(m.body))
		req.Header.Set("Content-Type", m.contentType)
	}

	// The transport itself, not an http.Client, which would only add what is
	// not wanted here: redirects and cookies.
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		fault := networkFault(caller, ctx, err, bound, m.secrets)
		fault.Op, fault.Sent = m.op, body == nil || body.seal()
		if !fault.Sent {
			fault.Kind = ErrUnreachable
		}
		return nil, fault
	}
	defer resp.Body.Close()
	answer := &Answer{Status: resp.StatusCode, Header: resp.Header}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		answer.broken = networkFault(caller, ctx, err, bound, m.secrets)
	case len(data) > maxBody:
		answer.broken = &Error{Kind: ErrUnexpectedAnswer, Err: errors.New("it is larger than 1 MiB")}
	default:
		answer.Body = data
	}
	return answer, nil
}

// networkFault tells what an error of the transport means. Its text is cleaned
// as well: the errors of net/http quote what a server sent in place of HTTP.
func networkFault(caller, own context.Context, err error, bound time.Duration, secrets []secret.Secret) *Error {
	if ended := callerEnded(caller); ended != nil {
		return &Error{Kind: ErrUnreachable, Err: ended}
	}
	if own.Err() != nil {
		return &Error{Kind: ErrUnreachable, Err: fmt.Errorf("no complete answer within %v", bound)}
	}
	kind := ErrUnreachable
	if !isNetworkError(err) {
		kind = ErrUnexpectedAnswer
	}
	// Text only: a timeout of a phase would else be found by errors.Is as
	// context.DeadlineExceeded, which is for the caller's context alone.
	return &Error{Kind: kind, Err: errors.New(clean(err.Error(), secrets))}
}

// callerEnded is the error of a context that has ended. A context whose
// deadline has passed has ended even if its timer has not fired yet: package
// net uses the deadline, and can be first.
func callerEnded(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// isNetworkError tells a connection that failed from one over which something
// came that is not HTTP.
func isNetworkError(err error) bool {
	var (
		network     net.Error
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		errno       syscall.Errno
	)
	return errors.As(err, &network) || errors.As(err, &certificate) || errors.As(err, &record) ||
		errors.As(err, &alert) || errors.As(err, &errno) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// oneShot is a request body that knows whether anybody began to send it, and
// that cannot be sent once it was given up.
type oneShot struct {
	mu     sync.Mutex
	reader *bytes.Reader
	begun  bool
	sealed bool
}

func (b *oneShot) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sealed {
		return 0, errors.New("the request was given up")
	}
	b.begun = true
	return b.reader.Read(p)
}

func (b *oneShot) Close() error {
	b.seal()
	return nil
}

// seal gives the body up, and reports whether it may have been sent.
func (b *oneShot) seal() (begun bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed = true
	return b.begun
}

// requestID is the server's name for the request.
func (c *Client) requestID(answer *Answer, secrets []secret.Secret) string {
	if c.provider.RequestIDHeader == "" {
		return ""
	}
	return cleanWord(answer.Header.Get(c.provider.RequestIDHeader), secrets)
}

// redirectTarget names the host that an answer points to, and no more of it.
func redirectTarget(answer *Answer, secrets []secret.Secret) string {
	u, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || u.Host == "" {
		return ""
	}
	return clean(u.Hostname(), secrets)
}
