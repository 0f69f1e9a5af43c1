package provider_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/authring/authring/oauthtest"
	"github.com/authring/authring/provider"
)

// TestDiscover: both places, with and without a path, and what follows.
func TestDiscover(t *testing.T) {
	for _, test := range []struct {
		options oauthtest.Options
		paths   []string
	}{
		{oauthtest.Options{}, []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"}},
		{oauthtest.Options{Path: "/tenant/a"}, []string{"/.well-known/oauth-authorization-server/tenant/a", "/tenant/a/.well-known/openid-configuration"}},
		{oauthtest.Options{OpenID: true}, []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"}},
		{oauthtest.Options{OpenID: true, Path: "/tenant"}, []string{"/.well-known/oauth-authorization-server/tenant", "/tenant/.well-known/openid-configuration"}},
	} {
		server := oauthtest.NewServer(test.options)
		t.Cleanup(server.Close)
		m, err := provider.Discover(bounded(t), server.Issuer(), quick)
		if err != nil {
			t.Fatal(err)
		}
		if got := server.Paths(); !slices.Equal(got, test.paths) {
			t.Errorf("asked for %q, want %q", got, test.paths)
		}
		var p provider.Provider
		m.Describe(&p)
		if p.Issuer != server.Issuer() || p.AuthURL != server.URL+"/authorize" || p.TokenURL != server.URL+"/token" ||
			p.RevokeURL != server.URL+"/revoke" || p.UserinfoURL != server.URL+"/userinfo" ||
			!slices.Equal(p.DefaultScope, []string{"openid", "profile", "email"}) || p.AuthParams != nil {
			t.Errorf("provider = %+v", p)
		}
		if hosts := m.Hosts(); hosts != nil {
			t.Errorf("other hosts: %q", hosts)
		}
	}
}

// document serves one description, with changes.
func document(t *testing.T, change func(members map[string]any, base string)) (issuer string) {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/.well-known/oauth-authorization-server") {
			http.NotFound(w, r)
			return
		}
		members := map[string]any{"issuer": server.URL, "authorization_endpoint": server.URL + "/a", "token_endpoint": server.URL + "/t"}
		change(members, server.URL)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(members)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestDiscoverRefuses: documents that are not the issuer's, or not safe.
func TestDiscoverRefuses(t *testing.T) {
	for name, change := range map[string]func(map[string]any, string){
		"another issuer":      func(m map[string]any, base string) { m["issuer"] = "https://accounts.example.org" },
		"issuer with a slash": func(m map[string]any, base string) { m["issuer"] = base + "/" },
		"no issuer":           func(m map[string]any, base string) { delete(m, "issuer") },
		"issuer of two":       func(m map[string]any, base string) { m["issuer"] = []string{base} },
		"no token endpoint":   func(m map[string]any, base string) { delete(m, "token_endpoint") },
		"plain http":          func(m map[string]any, base string) { m["token_endpoint"] = "http://login.example.org/token" },
		"a file":              func(m map[string]any, base string) { m["revocation_endpoint"] = "file:///etc/passwd" },
		"another script":      func(m map[string]any, base string) { m["token_endpoint"] = "https://l\u043egin.example.org/t" },
		"from right to left":  func(m map[string]any, base string) { m["token_endpoint"] = base + "/t\u202e" },
		"a password":          func(m map[string]any, base string) { m["userinfo_endpoint"] = "https://a:b@login.example.org/u" },
		"PAR without a place": func(m map[string]any, base string) { m["require_pushed_authorization_requests"] = true },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := provider.Discover(bounded(t), document(t, change), quick)
			fault(t, err, provider.ErrUnexpectedAnswer)
		})
	}
	for _, issuer := range []string{
		"", "login.example.org", "http://login.example.org", "https://login.example.org?x=1", "https://login.example.org/#x", "https://a@login.example.org",
	} {
		if _, err := provider.Discover(bounded(t), issuer); err == nil {
			t.Errorf("the issuer %q was accepted", issuer)
		}
	}
}

// TestDiscoverSays which member cannot be used, and who the server says it is.
func TestDiscoverSays(t *testing.T) {
	_, err := provider.Discover(bounded(t), document(t, func(m map[string]any, _ string) { m["revocation_endpoint"] = "javascript:x" }), quick)
	if err == nil || !strings.Contains(err.Error(), "revocation_endpoint") {
		t.Errorf("error = %v", err)
	}
	var issuer string
	_, err = provider.Discover(bounded(t), document(t, func(m map[string]any, base string) {
		issuer = base + "/"
		m["issuer"] = issuer
	}), quick)
	var other *provider.IssuerError
	if !errors.As(err, &other) || other.Named != issuer {
		t.Errorf("error = %v", err)
	}
}

// TestDiscoverTellsOtherHosts: they are allowed, and told.
func TestDiscoverTellsOtherHosts(t *testing.T) {
	m, err := provider.Discover(bounded(t), document(t, func(m map[string]any, _ string) {
		m["token_endpoint"], m["jwks_uri"] = "https://tokens.example.org/t", "https://tokens.example.org/keys"
		m["scopes_supported"] = []string{"openid", "offline_access", "a b"}
		m["dpop_signing_alg_values_supported"] = "ES256"
		m["code_challenge_methods_supported"] = []string{"plain"}
	}), quick)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Hosts(); !slices.Equal(got, []string{"tokens.example.org"}) {
		t.Errorf("Hosts = %q", got)
	}
	if !slices.Equal(m.ChallengeMethods, []string{"plain"}) {
		t.Errorf("ChallengeMethods = %q", m.ChallengeMethods)
	}
	var p provider.Provider
	m.Describe(&p)
	if !slices.Equal(p.DefaultScope, []string{"openid", "offline_access"}) || p.AuthParams.Get("prompt") != "consent" || p.DPoPAlgs != nil {
		t.Errorf("provider = %+v", p)
	}
}

// TestDiscoverFromAfar: a server elsewhere must not send secrets to a port of
// this machine.
func TestDiscoverFromAfar(t *testing.T) {
	for _, here := range []string{
		"http://127.0.0.1:6379/", "https://localhost/", "https://LOCALHOST.:8443/", "https://a.localhost/", "https://0.0.0.0/", "https://[::]/", "https://[::ffff:127.0.0.1]/",
	} {
		body := `{"issuer":"https://login.example.org","authorization_endpoint":"https://login.example.org/a","token_endpoint":"` + here + `"}`
		_, err := provider.Discover(bounded(t), "https://login.example.org", quick, provider.WithHTTPTransport(canned(200, nil, body)))
		fault(t, err, provider.ErrUnexpectedAnswer)
		if !strings.Contains(err.Error(), "on this machine") {
			t.Errorf("%s: error = %v", here, err)
		}
	}
}

// TestDiscoverFaults: what is no document, and what is no server.
func TestDiscoverFaults(t *testing.T) {
	for _, test := range []struct {
		status      int
		contentType string
		body        string
		kind        error
		asked       int
	}{
		{404, "text/html", "<p>none", provider.ErrUnexpectedAnswer, 2},
		{302, "", "", provider.ErrUnexpectedAnswer, 2},
		{200, "text/html", "<p>an app for everything", provider.ErrUnexpectedAnswer, 2},
		{200, "application/json", "[]", provider.ErrUnexpectedAnswer, 2},
		{503, "text/html", "", provider.ErrServerFault, 4},
	} {
		server := serve(t, answer(test.status, test.contentType, test.body))
		_, err := provider.Discover(bounded(t), server.URL, quick)
		fault(t, err, test.kind)
		if n := len(server.seen); n != test.asked {
			t.Errorf("%d %s: asked %d times, want %d", test.status, test.body, n, test.asked)
		}
	}
}

// FuzzDiscover: whatever a server says, the result is usable and bound to the
// issuer, or an error.
func FuzzDiscover(f *testing.F) {
	const issuer = "https://login.example.org/tenant"
	for _, seed := range []string{
		`{"issuer":"https://login.example.org/tenant","authorization_endpoint":"https://login.example.org/a","token_endpoint":"https://login.example.org/t"}`,
		`{"issuer":"https://login.example.org/tenant","authorization_endpoint":"https://x/a","token_endpoint":"https://y/t","jwks_uri":7,"scopes_supported":["a",1]}`,
		`{"issuer":"https://login.example.org/tenant","authorization_endpoint":"javascript:x","token_endpoint":"http://[::1]/"}`,
		`{`, ``, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := provider.Discover(t.Context(), issuer, provider.WithRetry(provider.Retry{Tries: 1}), provider.WithHTTPTransport(canned(200, nil, string(body))))
		if err != nil {
			return
		}
		p := provider.Provider{Name: "x", Title: "X", ClientID: "c"}
		m.Describe(&p)
		if p.Issuer != issuer {
			t.Errorf("issuer %q", p.Issuer)
		}
		if err := p.Validate(); err != nil {
			t.Errorf("Discover let through what a client refuses: %v", err)
		}
	})
}
