package provider

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
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
