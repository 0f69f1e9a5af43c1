package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// replayLimit is how much of a request's body is kept, in bytes. What Dropbox's
// interface takes as arguments is far smaller; what is uploaded is not, and can
// be sent again only if the server refuses the token before much of it went out.
const replayLimit = 256 << 10

// replay is the body of a request, read once, of which the beginning can be
// sent again.
type replay struct {
	mu      sync.Mutex // held while source is read
	source  io.Reader
	kept    []byte
	passed  bool // more was read than is kept
	broken  error
	current *attempt
}

// bodyError: the caller's body could not be read to its end.
type bodyError struct{ err error }

func (b *bodyError) Error() string { return "the body of the request is broken: " + b.err.Error() }
func (b *bodyError) Unwrap() error { return b.err }

// blame returns the error of a try to send a request: the caller's, if it was
// the body that failed.
func (r *replay) blame(err error) error {
	if r == nil || err == nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return &bodyError{r.broken}
	}
	return err
}

// newReplay returns nil for a request without a body.
func newReplay(body io.Reader) *replay {
	if body == nil || body == http.NoBody {
		return nil
	}
	return &replay{source: body}
}

// attempt returns the body for one try to send it.
func (r *replay) attempt() io.ReadCloser {
	r.current = &attempt{body: r}
	return r.current
}

// again ends the attempt before, and reports whether there can be another. The
// transport may still be reading for the earlier one; what it gets is kept.
func (r *replay) again() bool {
	if r == nil {
		return true
	}
	_ = r.current.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.passed
}

// attempt reads a body from its beginning.
type attempt struct {
	body   *replay
	at     int // how much of kept was read
	closed atomic.Bool
}

var errAttemptEnded = errors.New("this attempt to send the request has ended")

// Read implements io.Reader.
func (a *attempt) Read(p []byte) (int, error) {
	b := a.body
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.closed.Load() {
		return 0, errAttemptEnded
	}
	if a.at < len(b.kept) {
		n := copy(p, b.kept[a.at:])
		a.at += n
		return n, nil
	}
	n, err := b.source.Read(p)
	if err != nil && err != io.EOF {
		b.broken = err
	}
	switch {
	case b.passed:
	case len(b.kept)+n > replayLimit:
		b.passed, b.kept = true, nil
		a.at = 0
	default:
		b.kept = append(b.kept, p[:n]...)
		a.at += n
	}
	return n, err
}

// Close ends the attempt. The body itself belongs to the server.
func (a *attempt) Close() error {
	a.closed.Store(true)
	return nil
}
