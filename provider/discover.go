package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Metadata is what a server says of itself: the members of RFC 8414 section 2,
// and of OpenID Connect Discovery section 3, that a [Provider] has a use for.
// All but the first three may be empty.
type Metadata struct {
	Issuer, AuthURL, TokenURL                          string
	DeviceURL, PARURL, RevokeURL, UserinfoURL, JWKSURL string

	RequirePAR   bool
	IssParameter bool
	DPoPAlgs     []string
	Scopes       []string // scopes_supported
	AuthMethods  []string // token_endpoint_auth_methods_supported

	// ChallengeMethods are those of PKCE (code_challenge_methods_supported);
	// empty: it says nothing of them, as many that take them do.
	ChallengeMethods []string
}

// Discover asks a server what it says of itself: as RFC 8414 section 3 has it,
// and, where there is nothing, as OpenID Connect Discovery section 4 has it. The
// issuer is https, or http on this machine. Redirects are not followed. What is
// found may send secrets to other hosts ([Metadata.Hosts]): a person should
// accept it once, and a program keep what was accepted.
//
// RFC 8414 section 3.3: "The "issuer" value returned MUST be identical to the
// authorization server's issuer identifier value into which the well-known URI
// string was inserted to create the URL used to retrieve the metadata. If these
// values are not identical, the data contained in the response MUST NOT be
// used." An endpoint on this machine is refused unless the issuer is here too.
func Discover(ctx context.Context, issuer string, opts ...ClientOption) (*Metadata, error) {
	u, err := parseEndpoint(issuer)
	if err == nil && (u.RawQuery != "" || u.ForceQuery) {
		err = errors.New("an issuer must not hold a query")
	}
	if err != nil {
		return nil, fmt.Errorf("could not use the issuer: %w", err)
	}
	c := &Client{provider: &Provider{Name: "discovery", Title: u.Host}, log: slog.New(slog.DiscardHandler)}
	for _, opt := range opts {
		opt(c)
	}
	c.bounds, c.patience = c.bounds.withDefaults(), c.patience.withDefaults()
	if c.transport == nil {
		c.transport = newTransport(c.bounds)
	}
	defer c.CloseIdleConnections()

	var found *Metadata
	var first error
	for _, address := range wellKnown(u) {
		one, err := c.discover(ctx, issuer, address)
		var fault *Error
		switch {
		case err == nil && found == nil:
			found = one
		case err == nil:
			found.complete(one)
		case found != nil:
			// What was found first is enough.
		case !errors.As(err, &fault) || !fault.nothingThere():
			return nil, err
		case first == nil:
			first = err
		}
		if found != nil && found.UserinfoURL != "" && found.JWKSURL != "" {
			break
		}
	}
	if found == nil {
		return nil, first
	}
	return found, nil
}

// wellKnown are the addresses at which an issuer can describe itself.
//
// RFC 8414 section 3.1: "If the issuer identifier value contains a path
// component, any terminating "/" MUST be removed before inserting
// "/.well-known/" and the well-known URI suffix between the host component and
// the path component." OpenID Connect Discovery section 4.1 appends instead.
func wellKnown(issuer *url.URL) []string {
	root := issuer.Scheme + "://" + issuer.Host
	path := strings.TrimSuffix(issuer.EscapedPath(), "/")
	return []string{
		root + "/.well-known/oauth-authorization-server" + path,
		root + path + "/.well-known/openid-configuration",
	}
}

// nothingThere reports whether an answer says only that there is no document.
func (e *Error) nothingThere() bool {
	return e.Status >= 300 && e.Status < 500 && e.Status != http.StatusTooManyRequests ||
		e.Status == http.StatusOK && e.noDocument
}

func (c *Client) discover(ctx context.Context, issuer, address string) (*Metadata, error) {
	const op = "read what the server says of itself"
	var metadata *Metadata
	again := func(fault *Error, _ time.Duration) bool {
		return transient(fault) && (fault.Status == 0 || fault.Status >= 500 || fault.Status == http.StatusTooManyRequests)
	}
	err := c.retry(ctx, again, func(bound time.Duration) *Error {
		answer, fault := c.send(ctx, message{op: op, method: http.MethodGet, url: address}, bound)
		if fault != nil {
			return fault
		}
		if metadata, fault = readMetadata(answer, issuer); fault != nil {
			fault.Op, fault.Status, fault.Sent = op, answer.Status, true
			return fault
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return metadata, nil
}

func readMetadata(answer *Answer, issuer string) (*Metadata, *Error) {
	if fault := readTrouble(answer, nil); fault != nil {
		return nil, fault
	}
	if answer.Status != http.StatusOK {
		return nil, &Error{Kind: ErrUnexpectedAnswer, Err: errors.New("there is no such document")}
	}
	members, err := readObject(answer)
	if err != nil {
		return nil, &Error{Kind: ErrUnexpectedAnswer, Err: err, noDocument: true}
	}
	m := &Metadata{
		Issuer:       members.text("issuer"),
		AuthURL:      members.text("authorization_endpoint"),
		TokenURL:     members.text("token_endpoint"),
		DeviceURL:    members.text("device_authorization_endpoint"),
		PARURL:       members.text("pushed_authorization_request_endpoint"),
		RevokeURL:    members.text("revocation_endpoint"),
		UserinfoURL:  members.text("userinfo_endpoint"),
		JWKSURL:      members.text("jwks_uri"),
		RequirePAR:   members.flag("require_pushed_authorization_requests"),
		IssParameter: members.flag("authorization_response_iss_parameter_supported"),
		DPoPAlgs:     members.list("dpop_signing_alg_values_supported"),
		Scopes:       members.list("scopes_supported"),
		AuthMethods:  members.list("token_endpoint_auth_methods_supported"),

		ChallengeMethods: members.list("code_challenge_methods_supported"),
	}
	if err := m.check(issuer); err != nil {
		return nil, unexpected(err)
	}
	return m, nil
}

// check holds a document against the issuer that was asked for.
func (m *Metadata) check(issuer string) error {
	if m.Issuer != issuer {
		return &IssuerError{Named: clean(m.Issuer, nil)}
	}
	home, err := parseEndpoint(issuer)
	if err != nil {
		return err
	}
	if m.AuthURL == "" || m.TokenURL == "" {
		return errors.New("it does not name both an authorization endpoint and a token endpoint")
	}
	for _, endpoint := range m.endpoints() {
		u, err := parseEndpoint(endpoint.address)
		if err != nil {
			return fmt.Errorf("its %s cannot be used: %w", endpoint.member, err)
		}
		if leadsHere(u.Hostname()) && !isLoopback(home.Hostname()) {
			return fmt.Errorf("its %s is on this machine, which is not the server's", endpoint.member)
		}
	}
	if m.RequirePAR && m.PARURL == "" {
		return errors.New("it requires pushed authorization requests, and names no endpoint for them")
	}
	return nil
}

// IssuerError is the description of another issuer than was asked. There is often
// but a slash between the two.
type IssuerError struct {
	Named string // what the server calls itself; it need not be true
}

// Error names the other issuer.
func (e *IssuerError) Error() string {
	return fmt.Sprintf("it is the document of the issuer %q", e.Named)
}

// endpoint is an address, with the member that names it.
type endpoint struct{ member, address string }

// endpoints are those that are named.
func (m *Metadata) endpoints() []endpoint {
	all := []endpoint{
		{"authorization_endpoint", m.AuthURL}, {"token_endpoint", m.TokenURL}, {"device_authorization_endpoint", m.DeviceURL},
		{"pushed_authorization_request_endpoint", m.PARURL}, {"revocation_endpoint", m.RevokeURL},
		{"userinfo_endpoint", m.UserinfoURL}, {"jwks_uri", m.JWKSURL},
	}
	return slices.DeleteFunc(all, func(e endpoint) bool { return e.address == "" })
}

// leadsHere is isLoopback, and the other spellings that a resolver may take for
// this machine.
func leadsHere(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	addr, err := netip.ParseAddr(host)
	return isLoopback(host) || strings.HasSuffix(host, ".localhost") || err == nil && (addr.IsUnspecified() || addr.Unmap().IsLoopback())
}

// complete adds what another document of the same server says, if the two agree
// on where codes and tokens go.
func (m *Metadata) complete(other *Metadata) {
	if other.AuthURL != m.AuthURL || other.TokenURL != m.TokenURL {
		return
	}
	for _, field := range []struct {
		mine *string
		add  string
	}{{&m.UserinfoURL, other.UserinfoURL}, {&m.JWKSURL, other.JWKSURL}} {
		if *field.mine == "" {
			*field.mine = field.add
		}
	}
	if m.Scopes == nil {
		m.Scopes = other.Scopes
	}
	if m.ChallengeMethods == nil {
		m.ChallengeMethods = other.ChallengeMethods
	}
}

// Hosts returns the hosts, other than that of the issuer, that the endpoints
// are on.
func (m *Metadata) Hosts() []string {
	home, _ := url.Parse(m.Issuer)
	var hosts []string
	for _, endpoint := range m.endpoints() {
		u, err := url.Parse(endpoint.address)
		if err == nil && (home == nil || !strings.EqualFold(u.Host, home.Host)) && !slices.Contains(hosts, u.Host) {
			hosts = append(hosts, u.Host)
		}
	}
	return hosts
}

// ClientAuth chooses how a client shows who it is, by what the server takes.
//
// RFC 8414 section 2: "If omitted, the default is "client_secret_basic"".
func (m *Metadata) ClientAuth(hasSecret bool) (ClientAuth, error) {
	has := func(method string) bool { return slices.Contains(m.AuthMethods, method) }
	switch {
	case !hasSecret:
		// Many servers take public clients and do not list it.
		return AuthNone, nil
	case len(m.AuthMethods) == 0, has("client_secret_basic"):
		return AuthBasic, nil
	case has("client_secret_post"):
		return AuthPost, nil
	}
	return AuthNone, errors.New("the server takes a client secret in no way that is known here")
}

// Describe puts what the server says into a provider. The default scope is left
// alone if it is set; else it is what tells whose account it is and what gives
// a refresh token, as far as the server has it.
//
// OpenID Connect Core section 11: for offline_access the client "MUST ensure
// that the prompt parameter contains consent".
func (m *Metadata) Describe(p *Provider) {
	p.Issuer, p.AuthURL, p.TokenURL = m.Issuer, m.AuthURL, m.TokenURL
	p.DeviceURL, p.PARURL, p.RequirePAR = m.DeviceURL, m.PARURL, m.RequirePAR
	p.RevokeURL, p.UserinfoURL, p.JWKSURL = m.RevokeURL, m.UserinfoURL, m.JWKSURL
	p.IssParameter, p.DPoPAlgs = m.IssParameter, m.DPoPAlgs
	if p.DefaultScope != nil {
		return
	}
	for _, scope := range []string{"openid", "profile", "email", "offline_access"} {
		if slices.Contains(m.Scopes, scope) {
			p.DefaultScope = append(p.DefaultScope, scope)
		}
	}
	if slices.Contains(p.DefaultScope, "offline_access") && p.AuthParams == nil {
		p.AuthParams = url.Values{"prompt": {"consent"}}
	}
}

// flag is a member that is true.
func (o object) flag(name string) bool {
	var value bool
	return json.Unmarshal(o[name], &value) == nil && value
}

// list is a member that is an array of strings without spaces, or nil.
func (o object) list(name string) []string {
	var values []string
	if json.Unmarshal(o[name], &values) != nil {
		return nil
	}
	values = slices.DeleteFunc(values, func(value string) bool { return !isVisible(value, 128) })
	return values[:min(len(values), 256)]
}
