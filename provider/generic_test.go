package provider_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/oauthtest"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// plain is a provider that is data alone.
func plain(base string) *provider.Provider {
	return &provider.Provider{
		Name: "plain", Title: "Plain", AuthURL: base + "/authorize", TokenURL: base + "/token",
		RevokeURL: base + "/revoke", UserinfoURL: base + "/userinfo",
	}
}

func withSecret(value string) provider.ClientOption {
	return provider.WithClientSecret(func(context.Context) (secret.Secret, error) { return secret.New(value), nil })
}

// TestClientAuth: what is sent of the client, and where.
func TestClientAuth(t *testing.T) {
	const id, password = "an id:with&signs", "p+ss%w/rd:"
	for _, test := range []struct {
		auth       provider.ClientAuth
		header     string
		id, secret string
	}{
		{provider.AuthNone, "", "an-id", ""},
		{provider.AuthBasic, "Basic " + base64.StdEncoding.EncodeToString([]byte("an-id:p%2Bss%25w%2Frd%3A")), "", ""},
		{provider.AuthPost, "", "an-id", password},
	} {
		server := serve(t, answerJSON(200, grantJSON()), answerJSON(200, `{}`))
		p := plain(server.URL)
		p.ClientAuth = test.auth
		c, err := provider.NewClient(p, "an-id", quick, withSecret(password))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Exchange(bounded(t), code, verifier, ""); err != nil {
			t.Fatal(err)
		}
		if err := c.RevokeToken(bounded(t), refresh, provider.RefreshTokenHint); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			r := <-server.seen
			form, err := url.ParseQuery(r.body)
			if err != nil || r.auth != test.header || form.Get("client_id") != test.id || form.Get("client_secret") != test.secret {
				t.Errorf("%v: %s has header %q, form %v", test.auth, r.path, r.auth, form)
			}
		}
	}
	if _, err := provider.NewClient(plain("https://login.example.org"), id); err == nil {
		t.Error("a client id with spaces was accepted")
	}
}

// TestClientSecretIsNotTold: a server that echoes what it got.
func TestClientSecretIsNotTold(t *testing.T) {
	password := secret.New("correct-horse-battery")
	for _, auth := range []provider.ClientAuth{provider.AuthBasic, provider.AuthPost} {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			text := "you sent " + r.Header.Get("Authorization") + " and " + password.Reveal()
			answerJSON(400, `{"error":"invalid_client","error_description":"`+text+`"}`)(w, r)
		})
		p := plain(server.URL)
		p.ClientAuth = auth
		c, err := provider.NewClient(p, appKey, quick, withSecret(password.Reveal()))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Refresh(bounded(t), refresh, nil)
		e := fault(t, err, provider.ErrInvalidClient)
		noSecret(t, e.Error(), password, secret.New(base64.StdEncoding.EncodeToString([]byte(appKey+":"+password.Reveal()))))
	}
}

// TestClientSecretThatCannotBeHad: nothing is sent, and the reason is found.
func TestClientSecretThatCannotBeHad(t *testing.T) {
	server := serve(t, answerJSON(200, grantJSON()))
	p := plain(server.URL)
	p.ClientAuth = provider.AuthBasic
	if _, err := provider.NewClient(p, appKey); err == nil {
		t.Error("a client without its secret was made")
	}
	locked := errors.New("the keyring is locked")
	c, err := provider.NewClient(p, appKey, provider.WithClientSecret(func(context.Context) (secret.Secret, error) { return secret.Secret{}, locked }))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Refresh(bounded(t), refresh, nil)
	var e *provider.Error
	if !errors.Is(err, locked) || !errors.As(err, &e) || e.Sent || len(server.seen) != 0 {
		t.Errorf("error = %v, %d requests", err, len(server.seen))
	}
}

// TestRevokeToken: RFC 7009 and the answers that servers give.
func TestRevokeToken(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		want   error
	}{
		{200, ``, nil},
		{200, `{}`, nil},
		{204, ``, nil},
		{400, `{"error":"invalid_token"}`, nil},
		{400, `{"error":"unsupported_token_type"}`, errors.ErrUnsupported},
		{401, `{"error":"invalid_client"}`, provider.ErrInvalidClient},
		{400, `{"error":"invalid_request"}`, provider.ErrServerFault},
		{404, ``, provider.ErrServerFault},
		{503, ``, provider.ErrServerFault},
		{429, ``, provider.ErrRateLimited},
		{302, ``, provider.ErrUnexpectedAnswer},
	} {
		server := serve(t, answerJSON(test.status, test.body))
		c := newClient(t, plain(server.URL), quick)
		err := c.RevokeToken(bounded(t), refresh, provider.RefreshTokenHint)
		if test.want == nil && err != nil || !errors.Is(err, test.want) {
			t.Errorf("%d %s: %v, want %v", test.status, test.body, err, test.want)
		}
		r := <-server.seen
		if form, _ := url.ParseQuery(r.body); r.path != "/revoke" || form.Get("token") != refresh.Reveal() || form.Get("token_type_hint") != "refresh_token" {
			t.Errorf("request = %+v", r)
		}
	}
	login := serve(t, answer(200, "text/html", "<p>log in to this network"))
	err := newClient(t, plain(login.URL), quick).RevokeToken(bounded(t), refresh, provider.RefreshTokenHint)
	fault(t, err, provider.ErrUnexpectedAnswer)
}

func TestWaysToRevoke(t *testing.T) {
	p := plain("https://login.example.org")
	if got := p.Revocation(); got != provider.RevokeByRefresh {
		t.Errorf("with an endpoint: %v", got)
	}
	p.RevokeURL = ""
	if got := p.Revocation(); got != provider.RevokeNever {
		t.Errorf("without: %v", got)
	}
	if err := newClient(t, p).Revoke(bounded(t), access); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Revoke = %v", err)
	}
	if got := provider.Dropbox().Revocation(); got != provider.RevokeByAccess {
		t.Errorf("Dropbox: %v", got)
	}
}

// TestUserinfo: members by the standard's names, and by others.
func TestUserinfo(t *testing.T) {
	for _, test := range []struct {
		body   string
		fields provider.AccountFields
		want   provider.Account
	}{
		{`{"sub":"ada","email":"a@example.org","name":"Ada","x":{}}`, provider.AccountFields{}, provider.Account{ID: "ada", Email: "a@example.org", DisplayName: "Ada"}},
		{`{"id":583231,"login":"octocat","email":null}`, provider.AccountFields{ID: "id", Name: "login"}, provider.Account{ID: "583231", DisplayName: "octocat"}},
		{`{"sub":"ada","name":"A\u001b[31mda"}`, provider.AccountFields{}, provider.Account{ID: "ada", DisplayName: "A [31mda"}},
	} {
		server := serve(t, answerJSON(200, test.body))
		p := plain(server.URL)
		p.AccountFields = test.fields
		c := newClient(t, p)
		got, err := c.Account(bounded(t), access)
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v; want %+v", test.body, got, err, test.want)
		}
		if r := <-server.seen; r.method != "GET" || r.auth != "Bearer "+access.Reveal() {
			t.Errorf("request = %+v", r)
		}
		if err := c.Check(bounded(t), access); err != nil {
			t.Error(err)
		}
	}
	for _, body := range []string{`{}`, `{"sub":""}`, `{"sub":1.5}`, `{"sub":-1}`, `{"sub":"a b"}`, `{"sub":{"id":"a"}}`} {
		c := newClient(t, plain("https://login.example.org"), quick, provider.WithHTTPTransport(canned(200, nil, body)))
		_, err := c.Account(bounded(t), access)
		fault(t, err, provider.ErrUnexpectedAnswer)
	}
	p := plain("https://login.example.org")
	p.UserinfoURL = ""
	if _, err := newClient(t, p).Account(bounded(t), access); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Account = %v", err)
	}
}

// TestScopes: separators of requests and of answers.
func TestScopes(t *testing.T) {
	for _, test := range []struct{ separator, granted, sent, answer, want string }{
		{"", "", "a b", `"a b"`, "a b"},
		{"", "", "a b", `" a  b "`, "a b"},
		{"", "", "a b", `["a","b"]`, "a b"},
		{"", "", "a b", `"a,b"`, "a,b"},
		{",", "", "a,b", `"a,b"`, "a b"},
		{"", ",", "a b", `"a,b"`, "a b"},
		{"", "", "a b", `7`, ""},
	} {
		server := serve(t, answerJSON(200, `{"access_token":"x","token_type":"BEARER","scope":`+test.answer+`}`))
		p := plain(server.URL)
		p.ScopeSeparator, p.GrantedSeparator, p.DefaultScope = test.separator, test.granted, []string{"a", "b"}
		c := newClient(t, p)
		u, err := url.Parse(c.AuthCodeURL(provider.AuthRequest{}))
		if err != nil || u.Query().Get("scope") != test.sent {
			t.Errorf("asked for %q, want %q", u.Query().Get("scope"), test.sent)
		}
		token, err := c.Refresh(bounded(t), refresh, nil)
		if err != nil || token.Scope != test.want {
			t.Errorf("%s: %q, %v; want %q", test.answer, token.Scope, err, test.want)
		}
	}
}

// TestLifetimeUnsaid: a token that can be refreshed is not used for ever.
func TestLifetimeUnsaid(t *testing.T) {
	server := serve(t, answerJSON(200, `{"access_token":"x","token_type":"bearer","refresh_token":"y"}`))
	p := plain(server.URL)
	for _, want := range []time.Duration{30 * time.Minute, 2 * time.Hour} {
		c := newClient(t, p)
		first, err := c.Exchange(bounded(t), code, verifier, "")
		if err != nil || first.ExpiresIn != want {
			t.Errorf("Exchange: %+v, %v", first, err)
		}
		second, err := c.Refresh(bounded(t), refresh, nil)
		if err != nil || second.ExpiresIn != want {
			t.Errorf("Refresh: %+v, %v", second, err)
		}
		p.AccessLifetime = 2 * time.Hour
	}
}

// TestRefusalsWithOK: only a server that is known for it is believed.
func TestRefusalsWithOK(t *testing.T) {
	server := serve(t, answerJSON(200, `{"error":"bad_verification_code","error_description":"The code passed is incorrect or expired."}`))
	p := plain(server.URL)
	p.Refusals = []provider.Refusal{{Code: "bad_verification_code", Kind: provider.ErrCodeRejected}}
	_, err := newClient(t, p).Exchange(bounded(t), code, verifier, "")
	fault(t, err, provider.ErrUnexpectedAnswer)
	p.RefusesWithOK = true
	_, err = newClient(t, p).Exchange(bounded(t), code, verifier, "")
	if e := fault(t, err, provider.ErrCodeRejected); !strings.Contains(e.Description, "incorrect") {
		t.Errorf("error = %v", e)
	}
}

func TestRedirectAt(t *testing.T) {
	for _, test := range []struct {
		uri   string
		ports []int
		exact bool
		port  int
		want  string
	}{
		{"", nil, false, 0, "http://127.0.0.1/"},
		{"", nil, false, 4000, "http://127.0.0.1:4000/"},
		{"http://[::1]/callback", nil, false, 4000, "http://[::1]:4000/callback"},
		{"http://localhost", nil, false, 4000, "http://localhost:4000"},
		{"", []int{8080, 8081}, true, 0, "http://127.0.0.1:8080/"},
		{"", []int{8080, 8081}, true, 8081, "http://127.0.0.1:8081/"},
		{"", []int{8080}, true, 9, ""},
		{"", nil, true, 0, ""},
		{"", nil, true, 9, ""},
	} {
		p := provider.Provider{Title: "X", RedirectURI: test.uri, RedirectPorts: test.ports, ExactRedirect: test.exact}
		got, err := p.RedirectAt(test.port)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%+v: %q, %v", test, got, err)
		}
	}
	p := provider.Provider{Title: "X", RedirectNeedsSecret: true}
	if _, err := p.RedirectAt(4000); !errors.Is(err, provider.ErrRedirectNeedsSecret) {
		t.Errorf("without the secret that it takes: %v", err)
	}
	p.ClientAuth = provider.AuthPost
	if got, err := p.RedirectAt(4000); got != "http://127.0.0.1:4000/" {
		t.Errorf("with a secret: %q, %v", got, err)
	}
	for _, uri := range []string{"https://127.0.0.1/", "http://example.org/", "http://127.0.0.1:80/", "http://127.0.0.1/?x", "http://127.0.0.1/#x", "app://127.0.0.1/", "http://a@127.0.0.1/"} {
		p := plain("https://login.example.org")
		p.RedirectURI = uri
		if p.Validate() == nil {
			t.Errorf("%s was accepted", uri)
		}
	}
}

// TestAnyServer is the whole of it, with a server that is strict.
func TestAnyServer(t *testing.T) {
	server := oauthtest.NewServer(oauthtest.Options{ClientID: "an:id", ClientSecret: "p+ss w/rd", Rotate: true})
	t.Cleanup(server.Close)
	p := plain(server.URL)
	p.ClientAuth, p.Rotates = provider.AuthBasic, true
	c, err := provider.NewClient(p, "an:id", withSecret("p+ss w/rd"))
	if err != nil {
		t.Fatal(err)
	}
	redirect, err := p.RedirectAt(0)
	if err != nil {
		t.Fatal(err)
	}
	v := provider.NewVerifier()
	end, err := server.Approve(c.AuthCodeURL(provider.AuthRequest{Challenge: provider.Challenge(v), RedirectURI: redirect}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := provider.ParseCode(end)
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.Exchange(bounded(t), got, v, redirect)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Refresh(bounded(t), first.RefreshToken, nil)
	if err != nil || second.RefreshToken.Equal(first.RefreshToken) {
		t.Fatal(second, err)
	}
	if account, err := c.Account(bounded(t), second.AccessToken); err != nil || account.ID != "ada" {
		t.Errorf("Account = %+v, %v", account, err)
	}
	if err := c.RevokeToken(bounded(t), second.RefreshToken, provider.RefreshTokenHint); err != nil || server.Grants() != 0 {
		t.Errorf("RevokeToken = %v, %d grants", err, server.Grants())
	}
	_, err = c.Refresh(bounded(t), second.RefreshToken, nil)
	fault(t, err, provider.ErrRevoked)
}
