package callback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of one connection, which may be anybody's.
const (
	headerTime     = 5 * time.Second
	answerTime     = 30 * time.Second // the page at the end waits for its text
	idleTime       = 10 * time.Second
	maxHeader      = maxQuery + 16<<10
	maxConnections = 64
)

// Options say where a receiver listens, and what its pages speak of.
type Options struct {
	// URIs are redirect URIs on this machine, tried in this order. One
	// without a port is given any that is free.
	URIs []string

	Program  string // who asks for access
	Provider string // who gives it

	// AnyUser takes answers of browsers that other users of this machine run.
	// Without it they are refused where the system tells whose they are, which
	// Linux does.
	AnyUser bool
}

// Receiver waits for the redirect at the end of an authorization request.
type Receiver struct {
	options Options
	uri     string
	path    string
	hosts   map[string]bool // what Host may be
	server  *http.Server
	served  sync.WaitGroup

	mu      sync.Mutex
	want    Expected
	answers chan string   // nil once the answer has come
	told    chan struct{} // closed when outcome is set
	shown   chan struct{} // closed when the page at the end was shown
	outcome Outcome
	used    bool
	silent  []net.Conn // connections that have not asked anything
}

// Listen takes the first of the redirect URIs whose port is free. From then on
// requests are answered, and none is an answer until [Receiver.Expect].
func Listen(options Options) (*Receiver, error) {
	if len(options.URIs) == 0 {
		return nil, errors.New("could not wait for the redirect: there is no redirect URI")
	}
	var all error
	for _, uri := range options.URIs {
		place, err := parsePlace(uri)
		if err != nil {
			return nil, err
		}
		listeners, port, err := place.listen()
		if err != nil {
			if all != nil {
				err = fmt.Errorf("%w; %w", all, err)
			}
			all = err
			continue
		}
		r := &Receiver{
			options: options, uri: place.at(port), path: place.url.EscapedPath(), hosts: hosts(port),
			told: make(chan struct{}), shown: make(chan struct{}),
		}
		if r.path == "" {
			r.path = "/"
		}
		r.server = &http.Server{
			Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: headerTime, ReadTimeout: headerTime,
			WriteTimeout: answerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
			ConnState: r.connection, ErrorLog: log.New(io.Discard, "", 0),
			DisableGeneralOptionsHandler: true,
		}
		for _, listener := range listeners {
			r.served.Go(func() { _ = r.server.Serve(listener) }) // ends with Close
		}
		return r, nil
	}
	return nil, all
}

// RedirectURI is where the receiver listens, as the authorization request must
// have it.
func (r *Receiver) RedirectURI() string { return r.uri }

// Expect says which answer is the one. The channel gives, once, the whole
// address that the browser was sent to: an answer for which [Parse] finds a
// code, a refusal, or another issuer. An earlier expectation ends.
func (r *Receiver) Expect(want Expected) <-chan string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.want, r.answers, r.used = want, make(chan string, 1), false
	r.outcome, r.told, r.shown = Going, make(chan struct{}), make(chan struct{})
	return r.answers
}

// Tell says what became of the answer, for the page that the browser shows.
func (r *Receiver) Tell(outcome Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.outcome == Going && outcome != Going {
		r.outcome = outcome
		close(r.told)
	}
}

// Close ends the receiver. If the answer has come, the browser that brought it
// is given until ctx ends to show the page at the end.
func (r *Receiver) Close(ctx context.Context) {
	r.Tell(Over)
	r.mu.Lock()
	shown, used, silent := r.shown, r.used, r.silent
	r.mu.Unlock()
	if used {
		select {
		case <-shown:
		case <-ctx.Done():
		}
	}
	// Browsers keep connections ready on which they ask nothing.
	for _, conn := range silent {
		_ = conn.Close()
	}
	// The page may still be on its way; idle connections end at once.
	if r.server.Shutdown(ctx) != nil {
		_ = r.server.Close() // closes the listeners in any case
	}
	r.served.Wait()
}

// connection keeps room for the browser: when there are too many connections
// that say nothing, the oldest of them has to go.
func (r *Receiver) connection(conn net.Conn, state http.ConnState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if state == http.StateNew {
		r.silent = append(r.silent, conn)
		if len(r.silent) > maxConnections {
			_ = r.silent[0].Close() // its own goroutine finds out
			r.silent = r.silent[1:]
		}
		return
	}
	for i, other := range r.silent {
		if other == conn {
			r.silent = append(r.silent[:i:i], r.silent[i+1:]...)
			return
		}
	}
}
