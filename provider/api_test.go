package provider_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

const accountJSON = `{"account_id":"dbid:AAH4","name":{"given_name":"Franz","display_name":"Franz Ferdinand (Personal)"},
	"email":"franz@dropbox.com","email_verified":true,"root_info":{".tag":"user"}}`

func TestDropboxAccount(t *testing.T) {
	server := serve(t, answerJSON(200, accountJSON))
	got, err := dropboxClient(t, server.URL+"/below/").Account(bounded(t), access)
	want := provider.Account{ID: "dbid:AAH4", Email: "franz@dropbox.com", DisplayName: "Franz Ferdinand (Personal)"}
	if err != nil || got != want {
		t.Errorf("Account = %+v, %v", got, err)
	}
	r := <-server.seen
	if r.method != "POST" || r.path != "/below/2/users/get_current_account" || r.query != "" || r.body != "null" ||
		r.contentType != "application/json" || r.auth != "Bearer "+access.Reveal() {
		t.Errorf("request = %+v", r)
	}
}

func TestAccountsAreFitToBeShown(t *testing.T) {
	server := serve(t, answerJSON(200, `{"account_id":"dbid:x","email":"a\r\nb@c","name":{"display_name":"Eve\u001b[2J\u202egnp\u0000 Ünïcode 名前"}}`),
		answerJSON(200, `{"email":"a@b"}`), answerJSON(200, `{"account_id":"dbid:x]\nkeyring=plain"}`), answerJSON(200, `{"account_id":7}`))
	c := dropboxClient(t, server.URL, quick)
	got, err := c.Account(bounded(t), access)
	if want := (provider.Account{ID: "dbid:x", Email: "a b@c", DisplayName: "Eve [2J gnp Ünïcode 名前"}); err != nil || got != want {
		t.Errorf("Account = %+q, %v", got, err)
	}
	for range 3 {
		_, err := c.Account(bounded(t), access)
		fault(t, err, provider.ErrUnexpectedAnswer)
	}
}

func TestDropboxCheck(t *testing.T) {
	server := serve(t, answerJSON(200, `{"result":"authring"}`), answerJSON(200, `{"result":"parrot"}`))
	c := dropboxClient(t, server.URL)
	if err := c.Check(bounded(t), access); err != nil {
		t.Fatal(err)
	}
	if r := <-server.seen; r.path != "/2/check/user" || r.body != `{"query":"authring"}` || r.auth != "Bearer "+access.Reveal() {
		t.Errorf("request = %+v", r)
	}
	fault(t, c.Check(bounded(t), access), provider.ErrUnexpectedAnswer)
}

func TestDropboxRevoke(t *testing.T) {
	server := serve(t, answerJSON(200, `null`))
	if err := dropboxClient(t, server.URL).Revoke(bounded(t), access); err != nil {
		t.Fatal(err)
	}
	if r := <-server.seen; r.path != "/2/auth/token/revoke" || r.body != "null" || r.auth != "Bearer "+access.Reveal() {
		t.Errorf("request = %+v", r)
	}
	for _, test := range []struct {
		status            int
		contentType, body string
		want              error
	}{
		{401, "application/json", `{"error_summary":"invalid_access_token/..","error":{".tag":"invalid_access_token"}}`, nil},
		{401, "application/json", `{"error_summary":"expired_access_token/","error":{".tag":"expired_access_token"}}`, provider.ErrExpiredToken},
		{401, "application/json", `{}`, provider.ErrServerFault},
		{401, "text/html", `<html>invalid_access_token`, provider.ErrUnexpectedAnswer},
		{200, "text/html", `<html>log in`, provider.ErrUnexpectedAnswer},
		{200, "application/json", `nul`, provider.ErrUnexpectedAnswer},
		{500, "application/json", `{"error":{".tag":"invalid_access_token"}}`, provider.ErrServerFault},
		{302, "application/json", `{"error":{".tag":"invalid_access_token"}}`, provider.ErrUnexpectedAnswer},
	} {
		server := serve(t, answer(test.status, test.contentType, test.body))
		err := dropboxClient(t, server.URL, quick).Revoke(bounded(t), access)
		if test.want == nil && err != nil {
			t.Errorf("%d %s: %v", test.status, test.body, err)
		}
		if test.want != nil {
			fault(t, err, test.want)
		}
	}
}

// TestDropboxFaults: the table of what Dropbox's API answers.
func TestDropboxFaults(t *testing.T) {
	tag := func(name, more string) string {
		return `{"error_summary":"` + name + `/...","error":{".tag":"` + name + `"` + more + `}}`
	}
	for _, test := range []struct {
		status            int
		contentType, body string
		want              error
		code              string
	}{
		{401, "application/json", tag("expired_access_token", ""), provider.ErrExpiredToken, "expired_access_token"},
		{401, "application/json", tag("invalid_access_token", ""), provider.ErrInvalidAccessToken, "invalid_access_token"},
		{401, "application/json", tag("missing_scope", `,"required_scope":"account_info.read"`), provider.ErrMissingScope, "missing_scope"},
		{401, "application/json", tag("user_suspended", ""), provider.ErrSuspended, "user_suspended"},
		{401, "application/json", tag("invalid_select_user", ""), provider.ErrServerFault, "invalid_select_user"},
		{401, "application/json", tag("something_new", ""), provider.ErrServerFault, "something_new"},
		// The summary is noise, even where it says something else.
		{401, "application/json", `{"error_summary":"invalid_access_token/","error":{".tag":"expired_access_token"}}`, provider.ErrExpiredToken, "expired_access_token"},
		{403, "application/json", tag("no_permission", ""), provider.ErrMissingScope, "no_permission"},
		{409, "application/json", tag("invalid_oauth1_token_info", ""), provider.ErrServerFault, "invalid_oauth1_token_info"},
		{422, "application/json", tag("invalid_root", ""), provider.ErrServerFault, "invalid_root"},
		{400, "text/plain", `Error in call to API function "users/get_current_account": Your app is not permitted to access this endpoint because it does not have the required scope 'account_info.read'. The owner of the app`, provider.ErrMissingScope, ""},
		{400, "text/plain; charset=utf-8", `Error in call to API function "x": Invalid authorization value in HTTP header "Authorization": "Bearer ` + access.Reveal() + `".`, provider.ErrInvalidToken, ""},
		{400, "text/plain", `Error in call to API function "x": The given OAuth 2 access token is malformed.`, provider.ErrInvalidToken, ""},
		{400, "text/plain", `Error in call to API function "x": request body: could not decode input as JSON`, provider.ErrServerFault, ""},
		{400, "application/json", `{"error":"invalid_grant"}`, provider.ErrUnexpectedAnswer, ""},
		{404, "text/html", `<html>`, provider.ErrUnexpectedAnswer, ""},
		{429, "application/json", `{"error_summary":"too_many_requests/..","error":{"reason":{".tag":"too_many_requests"},"retry_after":300}}`, provider.ErrRateLimited, "too_many_requests"},
		{429, "text/plain", `slow down`, provider.ErrRateLimited, ""},
		{503, "", ``, provider.ErrServerFault, ""},
	} {
		server := serve(t, answer(test.status, test.contentType, test.body))
		_, err := dropboxClient(t, server.URL, quick).Account(bounded(t), access)
		e := fault(t, err, test.want)
		if e.Code != test.code || e.Status != test.status || !e.Sent || e.RequestID == "" || errors.Is(err, provider.ErrRevoked) {
			t.Errorf("%d %s: %+v", test.status, test.body, *e)
		}
		if test.code == "missing_scope" && !strings.Contains(err.Error(), "account_info.read") {
			t.Errorf("%v does not name the scope", err)
		}
		if test.code == "too_many_requests" && e.RetryAfter != 5*time.Minute {
			t.Errorf("RetryAfter = %v, want 5 minutes from the body", e.RetryAfter)
		}
	}
}

// TestFault: what a caller learns of an answer to a request of its own.
func TestFault(t *testing.T) {
	p := provider.Dropbox()
	careless := example("https://example.org")
	careless.APIFault = func(*provider.Answer) provider.Fault { return provider.Fault{Kind: provider.ErrRevoked} }
	expired := []byte(`{"error":{".tag":"expired_access_token"}}`)
	for _, test := range []struct {
		p      *provider.Provider
		status int
		body   []byte
		want   error
	}{
		{p, 401, expired, provider.ErrExpiredToken},
		{p, 401, []byte(`{"error":{".tag":"invalid_access_token"}}`), provider.ErrInvalidAccessToken},
		{p, 401, expired[:20], provider.ErrUnexpectedAnswer},
		{p, 429, expired, provider.ErrRateLimited},
		{p, 500, expired, provider.ErrServerFault},
		{p, 511, expired, provider.ErrUnexpectedAnswer},
		{p, 302, expired, provider.ErrUnexpectedAnswer},
		{p, 200, expired, provider.ErrUnexpectedAnswer},
		{careless, 401, nil, provider.ErrInvalidAccessToken},
		{careless, 503, nil, provider.ErrServerFault},
		{example("https://example.org"), 401, nil, provider.ErrInvalidAccessToken},
		{example("https://example.org"), 404, nil, provider.ErrServerFault},
	} {
		header := http.Header{"Content-Type": {"application/json"}}
		got := test.p.Fault(&provider.Answer{Status: test.status, Header: header, Body: test.body})
		if got.Kind != test.want {
			t.Errorf("%s: Fault(%d %s) = %v, want %v", test.p.Name, test.status, test.body, got.Kind, test.want)
		}
	}
}

func TestAPICallsAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, steps := range [][]step{
			{serverFault, limited, lost, {status: 200, body: accountJSON}},
			{refused, {status: 200, body: "<html>", html: true}, {status: 200, body: accountJSON}},
		} {
			p := &play{steps: steps}
			c := newClient(t, provider.Dropbox(), provider.WithHTTPTransport(p))
			if _, err := c.Account(t.Context(), access); err != nil || len(p.times) != len(steps) {
				t.Errorf("%v after %d tries, want %d", err, len(p.times), len(steps))
			}
		}
		p := &play{steps: []step{{status: 401, body: `{"error":{".tag":"invalid_access_token"}}`}}}
		_, err := newClient(t, provider.Dropbox(), provider.WithHTTPTransport(p)).Account(t.Context(), access)
		if fault(t, err, provider.ErrInvalidToken); len(p.times) != 1 {
			t.Errorf("a refusal was asked for %d times", len(p.times))
		}
	})
}

// example is a provider of a user's own, with userinfo as in OpenID Connect and
// revocation by RFC 7009.
func example(base string) *provider.Provider {
	return &provider.Provider{
		Name:     "example",
		Title:    "Example",
		AuthURL:  base + "/authorize",
		TokenURL: base + "/token",
		Account: func(ctx context.Context, api *provider.API, token secret.Secret) (provider.Account, error) {
			var info struct{ Sub, Email, Name string }
			err := api.Do(ctx, http.MethodGet, base+"/userinfo", token, nil, &info)
			return provider.Account{ID: info.Sub, Email: info.Email, DisplayName: info.Name}, err
		},
		Revoke: func(ctx context.Context, api *provider.API, token secret.Secret) error {
			form := url.Values{"token": {token.Reveal()}, "client_id": {api.AppKey()}}
			return api.Do(ctx, http.MethodPost, base+"/revoke", secret.Secret{}, form, nil)
		},
	}
}

func TestAnotherProvider(t *testing.T) {
	server := serve(t, answerJSON(200, `{"sub":"248289761001","email":"jane@example.org","name":"Jane Doe"}`),
		answer(200, "", ""),
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="example", error="invalid_token"`)
			answerJSON(401, `{"error":"invalid_grant"}`)(w, r)
		},
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="profile"`)
			answer(403, "text/plain", "no")(w, r)
		},
		answerJSON(400, `{"error":"unsupported_token_type","error_description":"`+access.Reveal()+`"}`),
	)
	c := newClient(t, example(server.URL), quick)
	got, err := c.Account(bounded(t), access)
	if want := (provider.Account{ID: "248289761001", Email: "jane@example.org", DisplayName: "Jane Doe"}); err != nil || got != want {
		t.Errorf("Account = %+v, %v", got, err)
	}
	if r := <-server.seen; r.method != "GET" || r.path != "/userinfo" || r.body != "" || r.contentType != "" || r.auth != "Bearer "+access.Reveal() {
		t.Errorf("request = %+v", r)
	}
	if err := c.Revoke(bounded(t), access); err != nil {
		t.Error(err)
	}
	want := url.Values{"token": {access.Reveal()}, "client_id": {appKey}}
	if r := <-server.seen; r.method != "POST" || r.path != "/revoke" || r.body != want.Encode() || r.auth != "" || r.contentType != "application/x-www-form-urlencoded" {
		t.Errorf("request = %+v", r)
	}
	_, err = c.Account(bounded(t), access)
	if fault(t, err, provider.ErrInvalidAccessToken); errors.Is(err, provider.ErrRevoked) {
		t.Errorf("%v is an ErrRevoked", err)
	}
	_, err = c.Account(bounded(t), access)
	fault(t, err, provider.ErrMissingScope)
	fault(t, c.Revoke(bounded(t), access), provider.ErrServerFault)
	if err := c.Check(bounded(t), access); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Check = %v, want errors.ErrUnsupported", err)
	}
	if c.Provider().Name != "example" {
		t.Error("Provider is another one")
	}
}

// TestFunctionsOfProvidersLeakNothing: what a careless function of a provider
// says, or asks for, cannot do harm.
func TestFunctionsOfProvidersLeakNothing(t *testing.T) {
	p := example("https://example.org")
	p.Check = func(_ context.Context, _ *provider.API, token secret.Secret) error {
		return fmt.Errorf("the token %s does not work", token.Reveal())
	}
	p.Revoke = func(ctx context.Context, api *provider.API, token secret.Secret) error {
		return api.Do(ctx, http.MethodPost, "http://example.org/revoke", token, nil, nil)
	}
	sent := 0
	c := newClient(t, p, quick, provider.WithHTTPTransport(roundTripper(func(*http.Request) (*http.Response, error) {
		sent++
		return nil, errors.New("no")
	})))
	fault(t, c.Check(bounded(t), access), provider.ErrUnexpectedAnswer)
	if err := c.Revoke(bounded(t), access); sent > 0 || !strings.Contains(err.Error(), "https") {
		t.Errorf("%v; sent %d times over plain http", err, sent)
	}
}
