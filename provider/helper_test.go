package provider_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

const appKey = "2jmbq42w7vof78h"

// Secrets of the tests. No run of eight characters of one may ever show in an
// error or a log.
var (
	code     = secret.New("6gaakIvFUCAAAAAAAAAAqLtoZx3pWm9YhRk_-c0dE17")
	verifier = secret.New("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
	access   = secret.New("sl.u.AbX9y6Fe3AuH5o66-gmJpR032jwAwQPIVVzWXZNkdzcYT02akC2de219dZi6gxYPVnY")
	refresh  = secret.New("nBiM85CZALsAAAAAAAAAAQXHBoNpNutK4ngsXHsqW4iGz9tisb3JyjGqikMJIYbd")
)

// quick is a client's patience in tests that do not look at time.
var quick = provider.WithRetry(provider.Retry{Base: time.Nanosecond, Max: time.Nanosecond})

// request is what a scripted server saw.
type request struct {
	method, path, query, contentType, accept, auth, body string
	header                                               http.Header
}

// script answers requests one after the other with its handlers, the last of
// them for ever, and remembers the requests.
type script struct {
	*httptest.Server
	seen chan request
}

func serve(tb testing.TB, handlers ...http.HandlerFunc) *script {
	tb.Helper()
	s := &script{seen: make(chan request, 64)}
	turn := make(chan int, 1)
	turn <- 0
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.seen <- request{
			method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, body: string(body), header: r.Header,
			contentType: r.Header.Get("Content-Type"), accept: r.Header.Get("Accept"), auth: r.Header.Get("Authorization"),
		}
		n := <-turn
		turn <- n + 1
		handlers[min(n, len(handlers)-1)](w, r)
	}))
	tb.Cleanup(s.Close)
	return s
}

// answer is a handler that says one thing.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{contentType}
		w.Header().Set("X-Dropbox-Request-Id", "0123456789abcdef0123456789abcdef")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func answerJSON(status int, body string) http.HandlerFunc {
	return answer(status, "application/json", body)
}

// dropboxClient is a client of a Dropbox at an address.
func dropboxClient(tb testing.TB, base string, opts ...provider.ClientOption) *provider.Client {
	tb.Helper()
	p, err := provider.DropboxAt(base)
	if err != nil {
		tb.Fatal(err)
	}
	return newClient(tb, p, opts...)
}

func newClient(tb testing.TB, p *provider.Provider, opts ...provider.ClientOption) *provider.Client {
	tb.Helper()
	c, err := provider.NewClient(p, appKey, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// bounded is a context that ends the test rather than let it hang.
func bounded(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

// fault is the *provider.Error in err, of the kind wanted, and clean.
func fault(tb testing.TB, err, kind error) *provider.Error {
	tb.Helper()
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || !errors.Is(err, kind) {
		tb.Fatalf("error = %v, want *Error of kind %q", err, kind)
	}
	if invalid, failed := errors.Is(err, provider.ErrInvalidToken), errors.Is(err, provider.ErrConnectionFailed); invalid == failed {
		tb.Errorf("error = %v: ErrInvalidToken %v, ErrConnectionFailed %v, want exactly one", err, invalid, failed)
	}
	noSecret(tb, err.Error(), code, verifier, access, refresh)
	return e
}

// noSecret fails if a text shares eight characters in a row with a secret.
func noSecret(tb testing.TB, text string, secrets ...secret.Secret) {
	tb.Helper()
	for _, s := range secrets {
		value := s.Reveal()
		for i := 0; i+8 <= len(value); i++ {
			if strings.Contains(text, value[i:i+8]) {
				tb.Fatalf("%q shows %q of a secret", text, value[i:i+8])
			}
		}
	}
}

// roundTripper is a transport in place of a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// canned is a roundTripper that reads the request and answers it.
func canned(status int, header http.Header, body string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
			_ = r.Body.Close()
		}
		if header == nil {
			header = http.Header{"Content-Type": {"application/json"}}
		}
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}
