package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"

	"github.com/authring/authring/secret"
)

// Client asks a provider for tokens on behalf of the program that an app key
// names. It is immutable and safe for concurrent use.
type Client struct {
	provider  *Provider
	appKey    string
	secret    func(context.Context) (secret.Secret, error) // of a client that has one
	dpop      *DPoPKey                                     // nil: no proofs
	transport http.RoundTripper
	bounds    Timeouts
	patience  Retry
	log       *slog.Logger
}

// ClientOption changes how a [Client] works.
type ClientOption func(*Client)

// WithHTTPTransport sends the requests through a transport of the caller's. It
// must not follow redirects nor send a request twice by itself, and must honour
// the request's context; [Timeouts] other than Total are then its own business.
func WithHTTPTransport(transport http.RoundTripper) ClientOption {
	return func(c *Client) { c.transport = transport }
}

// WithClientSecret says where the client secret (RFC 6749 section 2.3.1) comes
// from, for a client that authenticates itself as [Provider.ClientAuth] says. It
// is asked before each request that needs it; its error is that of the call,
// and then nothing was sent.
func WithClientSecret(get func(context.Context) (secret.Secret, error)) ClientOption {
	return func(c *Client) { c.secret = get }
}

// WithTimeouts sets the bounds of one try of a request.
func WithTimeouts(bounds Timeouts) ClientOption {
	return func(c *Client) { c.bounds = bounds }
}

// WithRetry sets how often, and for how long, a request is tried again.
func WithRetry(patience Retry) ClientOption {
	return func(c *Client) { c.patience = patience }
}

// WithLogger reports each request and each wait at level debug: what it was
// for, status, request id, duration. Without it nothing is logged.
func WithLogger(log *slog.Logger) ClientOption {
	return func(c *Client) { c.log = log }
}

// NewClient makes a client. The app key is the client identifier that the
// provider gave to the program (RFC 6749 section 2.2); it is no secret. Where
// the provider authenticates clients, [WithClientSecret] gives the secret.
func NewClient(p *Provider, appKey string, opts ...ClientOption) (*Client, error) {
	if p == nil {
		return nil, errors.New("could not make a token client: no provider was given")
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("could not make a token client: %w", err)
	}
	if !isVisible(appKey, maxClientID) {
		return nil, fmt.Errorf("could not make a token client: %w", errClientID)
	}
	c := &Client{provider: p, appKey: appKey, log: slog.New(slog.DiscardHandler)}
	for _, opt := range opts {
		opt(c)
	}
	if p.ClientAuth != AuthNone && c.secret == nil {
		return nil, fmt.Errorf("could not make a token client: %s authenticates its clients, and no client secret was given", p.Title)
	}
	c.bounds = c.bounds.withDefaults()
	c.patience = c.patience.withDefaults()
	if c.transport == nil {
		c.transport = transportOf(c.bounds)
	}
	return c, nil
}

// Provider returns the provider that the client was made for.
func (c *Client) Provider() *Provider { return c.provider }

// AuthRequest is what an authorization request says beyond the provider's and
// the client's own parameters. Every field may be empty.
type AuthRequest struct {
	Challenge   string     // the code challenge of [Challenge]
	State       string     // RFC 6749 section 10.12; comes back with a redirect
	RedirectURI string     // exactly as registered; without it the user copies the code
	Nonce       string     // of an ID token; see [Provider.AsksIDToken]
	DPoPKey     string     // [DPoPKey.Thumbprint]: only who has that key can redeem the code
	Scope       []string   // empty: the provider's DefaultScope, or all that the app may ask for
	Params      url.Values // further parameters; they take precedence over the provider's
}

// AuthCodeURL returns the address to open in the user's browser: an
// authorization request for a code (RFC 6749 section 4.1.1), with PKCE (RFC
// 7636 section 4.3). It holds no secret.
//
// RFC 6749 section 3.1: the endpoint URI "MAY include an
// application/x-www-form-urlencoded formatted query component, which MUST be
// retained when adding additional query parameters".
func (c *Client) AuthCodeURL(req AuthRequest) string {
	return c.authPage(c.authParams(req))
}

// authPage is the authorization endpoint with parameters.
func (c *Client) authPage(params url.Values) string {
	// Parsed once already, when the client was made.
	u, err := url.Parse(c.provider.AuthURL)
	if err != nil {
		return c.provider.AuthURL
	}
	query := u.Query()
	maps.Copy(query, params)
	u.RawQuery = query.Encode()
	return u.String()
}

// authParams are the parameters of an authorization request.
func (c *Client) authParams(req AuthRequest) url.Values {
	query := url.Values{}
	for _, params := range []url.Values{c.provider.AuthParams, req.Params} {
		maps.Copy(query, params)
	}
	scope := c.provider.askedScope(req.Scope)
	query.Set("response_type", "code")
	query.Set("client_id", c.appKey)
	for name, value := range map[string]string{
		"redirect_uri":   req.RedirectURI,
		"state":          req.State,
		"scope":          c.provider.joinScope(scope),
		"code_challenge": req.Challenge,
		"nonce":          req.Nonce,
		"dpop_jkt":       req.DPoPKey,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if req.Challenge != "" {
		query.Set("code_challenge_method", "S256")
	}
	return query
}

// isVisible reports whether a text is 1 to limit visible ASCII characters.
func isVisible(text string, limit int) bool {
	if text == "" || len(text) > limit {
		return false
	}
	for i := 0; i < len(text); i++ {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// CloseIdleConnections gives back connections that are kept for a next
// request. The client stays usable.
func (c *Client) CloseIdleConnections() {
	if t, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}
