// Package proxy adds access tokens to the requests of programs that must not
// see them: a reverse proxy for the hosts of one provider, behind a Unix socket
// or a loopback port.
//
// A request reaches the provider only if it knows the proxy's secret (where
// there is one), names a loopback host or one of the provider's, does not come
// from a web page, and is not for a route on which tokens are made or ended.
// It leaves without the caller's own credentials, with the token, for no host
// but the provider's; redirects are handed to the caller, who has no token to
// take along. An answer that repeats the token has it blackened.
//
// Bodies are streamed in both directions. Only the first 256 KiB of a request's
// body are kept, until it is known that the token was accepted.
package proxy

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// Config is what a proxy is made of.
type Config struct {
	// Provider owns the hosts that the token may go to.
	Provider *provider.Provider

	// Targets are the origins that can be reached, such as
	// https://api.dropboxapi.com. The first is where requests go that name
	// none. Without any they are all hosts of the provider.
	Targets []*url.URL

	// Secret is the first segment of the path that every request must have;
	// empty: none is asked for, since the listener admits nobody else.
	Secret string

	// Token returns an access token: another one than refused, unless that
	// is empty. It is called from several goroutines at once.
	Token func(ctx context.Context, refused secret.Secret) (Token, error)

	// Explain returns what the caller is told, as JSON, when Token failed.
	// Nil: the text of the error.
	Explain func(error) any

	// Transport takes the requests to the provider; nil: one of the
	// package's own.
	Transport http.RoundTripper

	// Logger gets what fails, without secrets; nil: nothing is logged.
	Logger *slog.Logger
}

// Token is an access token, and how a request shows it.
type Token struct {
	Text secret.Secret

	// Authorize adds a token that is bound to a key to a request (RFC 9449), and
	// Challenged reports whether the answer wants the request again, with
	// another proof. Nil: whoever has the token can use it (RFC 6750).
	Authorize  func(*http.Request) error
	Challenged func(*http.Response) bool
}

// NewSecret returns a secret for [Config.Secret]: 26 letters and digits, of at
// least 128 random bits.
func NewSecret() string { return rand.Text() }

// Proxy is a http.Handler. Its methods may be called from several goroutines.
type Proxy struct {
	config  Config
	targets targets
	reverse *httputil.ReverseProxy
	busy    chan struct{} // a slot for each request under way
}

// atOnce bounds the requests under way. With what is kept of their bodies it
// bounds the memory of a proxy.
const atOnce = 256

// ErrNoHosts: it is not known where the tokens of the provider may go.
var ErrNoHosts = errors.New("has no hosts that a token may be sent to")

// New makes a proxy. It refuses targets that are not the provider's, with
// [ErrNoHosts] if nothing is.
func New(config Config) (*Proxy, error) {
	all, err := newTargets(config.Provider, config.Targets)
	if err != nil {
		return nil, err
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Transport == nil {
		config.Transport = newTransport()
	}
	p := &Proxy{config: config, targets: all, busy: make(chan struct{}, atOnce)}
	p.reverse = &httputil.ReverseProxy{
		Rewrite:      p.rewrite,
		Transport:    &injector{provider: config.Provider, token: config.Token, base: config.Transport},
		ErrorHandler: p.fail,
		ErrorLog:     slog.NewLogLogger(config.Logger.Handler(), slog.LevelDebug),
	}
	return p, nil
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	escaped := r.URL.EscapedPath()
	if p.config.Secret != "" {
		given, rest, _ := strings.Cut(strings.TrimPrefix(escaped, "/"), "/")
		if subtle.ConstantTimeCompare([]byte(given), []byte(p.config.Secret)) != 1 {
			// Nothing tells a guess from an address that is not there.
			http.NotFound(w, r)
			return
		}
		escaped = "/" + rest
	}
	if refusal := p.admit(r); refusal != nil {
		p.refuse(w, refusal)
		return
	}
	out, refusal := p.targets.route(r.Host, escaped)
	if refusal != nil {
		p.refuse(w, refusal)
		return
	}
	select {
	case p.busy <- struct{}{}:
		defer func() { <-p.busy }()
	default:
		w.Header().Set("Retry-After", "1")
		p.refuse(w, &refused{http.StatusServiceUnavailable, "busy", fmt.Sprintf("%d requests are under way already", atOnce)})
		return
	}
	p.reverse.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), routeKey{}, out)))
}

// routeKey marks the *url.URL that a request is for.
type routeKey struct{}

// rewrite turns a request that was admitted into the one that is sent.
func (p *Proxy) rewrite(pr *httputil.ProxyRequest) {
	out, _ := pr.In.Context().Value(routeKey{}).(*url.URL)
	pr.Out.URL.Scheme, pr.Out.URL.Host = out.Scheme, out.Host
	pr.Out.URL.Path, pr.Out.URL.RawPath = out.Path, out.RawPath
	// Of the one that came in: ReverseProxy leaves out what Go cannot read.
	pr.Out.URL.RawQuery = cleanQuery(pr.In.URL.RawQuery)
	pr.Out.Host = out.Host
	pr.Out.Trailer = nil // only their names would be passed on
	cleanRequest(pr.Out.Header)
}

// refused is a request that the proxy answers itself.
type refused struct {
	status  int
	name    string
	message string
}

// refuse says why, as JSON in the members that the command line tool uses.
func (p *Proxy) refuse(w http.ResponseWriter, r *refused) {
	p.config.Logger.Debug("request refused", "status", r.status, "error", r.name)
	answer(w, r.status, map[string]any{"error": r.name, "message": r.message})
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		text = []byte(`{"error":"internal"}`)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// fail answers a request that got no answer.
func (p *Proxy) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		// The caller has left. There is nobody to tell.
		panic(http.ErrAbortHandler)
	}
	p.config.Logger.Debug("request failed", "error", err)
	var token *tokenError
	var body *bodyError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &body) && errors.Is(err, os.ErrDeadlineExceeded):
		p.refuse(w, &refused{http.StatusRequestTimeout, "body", "the rest of the request's body did not come"})
	case errors.As(err, &body):
		p.refuse(w, &refused{http.StatusBadRequest, "body", "the body of the request is broken, or ends too early"})
	case errors.As(err, &token):
		body := any(map[string]any{"error": "token", "message": token.err.Error()})
		if p.config.Explain != nil {
			body = p.config.Explain(token.err)
		}
		answer(w, http.StatusServiceUnavailable, body)
	case errors.Is(err, errEncoded), errors.Is(err, errSwitched):
		p.refuse(w, &refused{http.StatusBadGateway, "unexpected-answer", err.Error()})
	case errors.As(err, &timeout) && timeout.Timeout():
		p.refuse(w, &refused{http.StatusGatewayTimeout, "connection-failed", p.config.Provider.Title + " did not answer in time"})
	default:
		p.refuse(w, &refused{http.StatusBadGateway, "connection-failed", p.config.Provider.Title + " could not be asked"})
	}
}
