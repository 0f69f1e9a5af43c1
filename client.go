package authring

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/authring/authring/provider"
)

// refusalBound is how much of a 401 answer is read to see why, in bytes.
const refusalBound = 64 << 10

// TokenSource returns a source of access tokens for programs that are built on
// golang.org/x/oauth2. Each call of its method Token is a [Session.Token] under
// ctx. Those programs cannot use tokens of type [DPoP]: they make no proofs.
func (s *Session) TokenSource(ctx context.Context) oauth2.TokenSource {
	return tokenSource{ctx: ctx, session: s}
}

// tokenSource holds a context because the interface that it fits gives none.
type tokenSource struct {
	ctx     context.Context
	session *Session
}

func (t tokenSource) Token() (*oauth2.Token, error) {
	token, err := t.session.Token(t.ctx)
	if err != nil {
		return nil, err
	}
	return &oauth2.Token{AccessToken: token.AccessToken.Reveal(), TokenType: token.TokenType, Expiry: token.Expires}, nil
}

// Client returns an HTTP client that adds the access token (RFC 6750 section
// 2.1), and a proof if the token is bound to a key (RFC 9449), to requests for the provider's own hosts, and refuses requests for any
// other: a token must not leave for a host that an answer, or a caller's
// mistake, named. Redirects are not followed, for the same reason.
//
// When the provider answers 401 because the token has expired or is not valid,
// the token is refreshed once and the request sent again, if its body can be
// had again (http.Request.GetBody); otherwise the 401 is returned, and the
// next request has a new token. Waiting for a token ends with ctx, and with
// the request's own context.
func (s *Session) Client(ctx context.Context) *http.Client {
	base := s.config.transport
	if base == nil {
		base = http.DefaultTransport
	}
	return &http.Client{
		Transport:     &authTransport{ctx: ctx, session: s, base: base},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type authTransport struct {
	ctx     context.Context
	session *Session
	base    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *authTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	body := req.Body
	sent := false
	defer func() {
		// A RoundTripper closes the body, also when it did not send it.
		if !sent && body != nil {
			_ = body.Close()
		}
	}()
	if err := t.session.mayHave(req.URL); err != nil {
		return nil, err
	}
	token, err := t.token(req)
	if err != nil {
		return nil, err
	}
	sent = true
	resp, err := t.send(req, body, token)
	if err == nil && t.session.Challenged(resp, token) {
		again, ok := bodyAgain(req)
		if !ok {
			return resp, nil
		}
		_ = resp.Body.Close()
		if resp, err = t.send(req, again, token); err == nil && t.session.Challenged(resp, token) {
			return resp, nil
		}
	}
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !t.refused(resp) {
		return resp, err
	}
	t.session.drop(token.AccessToken)
	again, ok := bodyAgain(req)
	if !ok {
		return resp, nil
	}
	fresh, err := t.token(req)
	if err != nil || fresh.AccessToken.Equal(token.AccessToken) {
		// The answer at hand says more than that no new token could be had.
		if again != nil {
			_ = again.Close()
		}
		return resp, nil
	}
	_ = resp.Body.Close()
	return t.send(req, again, fresh)
}

// token waits for an access token until either context ends.
func (t *authTransport) token(req *http.Request) (Token, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	stop := context.AfterFunc(t.ctx, func() { cancel(context.Cause(t.ctx)) })
	defer stop()
	return t.session.Token(ctx)
}

func (t *authTransport) send(req *http.Request, body io.ReadCloser, token Token) (*http.Response, error) {
	// "RoundTrip should not modify the request", says net/http.
	out := req.Clone(req.Context())
	out.Body = body
	if err := t.session.Authorize(out, token); err != nil {
		if body != nil {
			_ = body.Close()
		}
		return nil, err
	}
	resp, err := t.base.RoundTrip(out)
	if err == nil {
		if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			t.session.observe(t.session.cached.Load(), date)
		}
	}
	return resp, err
}

// refused reports whether a 401 is about the token itself, and leaves the
// answer whole for the caller.
func (t *authTransport) refused(resp *http.Response) bool {
	type readCloser struct {
		io.Reader
		io.Closer
	}
	start, err := io.ReadAll(io.LimitReader(resp.Body, refusalBound))
	rest := io.Reader(resp.Body)
	if err != nil {
		rest = errReader{err}
	}
	resp.Body = readCloser{io.MultiReader(bytes.NewReader(start), rest), resp.Body}
	fault := t.session.config.provider.Fault(&provider.Answer{Status: resp.StatusCode, Header: resp.Header, Body: start})
	return errors.Is(fault.Kind, provider.ErrInvalidAccessToken) || errors.Is(fault.Kind, provider.ErrExpiredToken)
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// bodyAgain returns the request's body once more, if that can be had.
func bodyAgain(req *http.Request) (io.ReadCloser, bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	return body, err == nil
}
