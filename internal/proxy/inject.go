package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// injector sends requests with the token.
type injector struct {
	provider *provider.Provider
	token    func(context.Context, secret.Secret) (Token, error)
	base     http.RoundTripper

	// rests is until when (Unix nanoseconds) no token is renewed: one that
	// was just made was refused as well.
	rests atomic.Int64
}

// restAfterRefusal keeps a caller whose every request is refused from having
// the token renewed with each.
const restAfterRefusal = 10 * time.Second

// tokenError: there is no token to send.
type tokenError struct{ err error }

func (t *tokenError) Error() string { return "could not get an access token: " + t.err.Error() }
func (t *tokenError) Unwrap() error { return t.err }

var (
	errEncoded  = errors.New("the answer is compressed, although that was not asked for")
	errSwitched = errors.New("the answer changes the protocol")
	errNotTheir = errors.New("the access token is for the provider's own hosts only")
)

// RoundTrip implements http.RoundTripper. If the token is refused, the request
// is sent once more with a new one, and if its proof is, with another proof;
// unless so much of its body went out that it cannot be repeated. The caller
// then gets the refusal; the next request has what this one wanted.
func (t *injector) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.provider.Serves(req.URL) {
		return nil, errNotTheir
	}
	body := newReplay(req.Body)
	token, err := t.token(req.Context(), secret.Secret{})
	if err != nil {
		return nil, &tokenError{err}
	}
	resp, proven, err := t.show(req, body, token)
	if err != nil {
		return nil, body.blame(err)
	}
	if !proven {
		return t.open(resp, token)
	}
	if !t.refused(resp) {
		t.rests.Store(0)
		return t.open(resp, token)
	}
	if time.Now().UnixNano() < t.rests.Load() {
		return t.open(resp, token)
	}
	fresh, err := t.token(req.Context(), token.Text)
	if err != nil || fresh.Text.Equal(token.Text) || !body.again() {
		// The answer at hand says more than that no new token could be had.
		return t.open(resp, token)
	}
	_ = resp.Body.Close()
	if resp, proven, err = t.show(req, body, fresh); err != nil {
		return nil, body.blame(err)
	}
	if proven && t.refused(resp) {
		t.rests.Store(time.Now().Add(restAfterRefusal).UnixNano())
	}
	return t.open(resp, fresh)
}

// show sends a request with a token, and again if the server wants another proof
// with it. What it says of a proof that cannot be made again says nothing of the
// token: proven is then false.
func (t *injector) show(req *http.Request, body *replay, token Token) (resp *http.Response, proven bool, err error) {
	resp, err = t.send(req, body, token)
	if err != nil || token.Challenged == nil || !token.Challenged(resp) {
		return resp, true, err
	}
	if !body.again() {
		return resp, false, nil
	}
	_ = resp.Body.Close()
	resp, err = t.send(req, body, token)
	return resp, err != nil || !token.Challenged(resp), err
}

func (t *injector) send(req *http.Request, body *replay, token Token) (*http.Response, error) {
	// "RoundTrip should not modify the request", says net/http.
	out := req.Clone(quiet{req.Context()})
	if token.Authorize == nil {
		out.Header.Set("Authorization", "Bearer "+token.Text.Reveal())
	} else if err := token.Authorize(out); err != nil {
		return nil, &tokenError{err}
	}
	out.Header.Del("Expect")
	if body != nil {
		out.Body = body.attempt()
		if req.ContentLength < 0 || req.ContentLength > replayLimit {
			// A server that refuses the token may say so before the body
			// begins, which then can still be sent (RFC 9110 section
			// 10.1.1).
			out.Header.Set("Expect", "100-continue")
		}
	}
	return t.base.RoundTrip(out)
}

// quiet is a context without values. Among them is the hook by which
// ReverseProxy hands informational answers (1xx) to the caller, before anybody
// has looked at them.
type quiet struct{ context.Context }

// Value implements context.Context.
func (quiet) Value(any) any { return nil }

// refusalBound is how much of a 401 answer is read to see why, in bytes.
const refusalBound = 64 << 10

// refused reports whether an answer is a word on the token itself, and leaves
// it whole.
func (t *injector) refused(resp *http.Response) bool {
	if resp.StatusCode != http.StatusUnauthorized {
		return false
	}
	start, err := io.ReadAll(io.LimitReader(resp.Body, refusalBound))
	rest := io.Reader(resp.Body)
	if err != nil {
		rest = broken{err}
	}
	resp.Body = &joined{io.MultiReader(bytes.NewReader(start), rest), resp.Body}
	fault := t.provider.Fault(&provider.Answer{Status: resp.StatusCode, Header: resp.Header, Body: start})
	return errors.Is(fault.Kind, provider.ErrInvalidAccessToken) || errors.Is(fault.Kind, provider.ErrExpiredToken)
}

type joined struct {
	io.Reader
	io.Closer
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// open makes an answer fit to be passed on.
func (t *injector) open(resp *http.Response, token Token) (*http.Response, error) {
	encoding := strings.Join(resp.Header["Content-Encoding"], ",")
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		_ = resp.Body.Close()
		return nil, errSwitched
	case encoding != "" && !strings.EqualFold(strings.TrimSpace(encoding), "identity"):
		_ = resp.Body.Close()
		return nil, errEncoded
	}
	cleanAnswer(resp.Header)
	blacken(resp, token.Text)
	return resp, nil
}
