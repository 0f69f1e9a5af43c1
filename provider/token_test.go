package provider_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

func grantJSON() string {
	return `{"uid":"12345","unforeseen":{"a":[1,{}]},"access_token":"` + access.Reveal() + `","expires_in":14400,
		"token_type":"bearer","refresh_token":"` + refresh.Reveal() + `","scope":"account_info.read files.content.read",
		"account_id":"dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc"}`
}

func TestExchange(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Tue, 15 Nov 2022 12:45:26 GMT")
		answerJSON(200, grantJSON())(w, r)
	})
	got, err := dropboxClient(t, server.URL).Exchange(bounded(t), code, verifier, "http://127.0.0.1:53682/")
	if err != nil {
		t.Fatal(err)
	}
	want := provider.Token{
		AccessToken: got.AccessToken, RefreshToken: got.RefreshToken, TokenType: "bearer", ExpiresIn: 4 * time.Hour,
		Date: time.Date(2022, 11, 15, 12, 45, 26, 0, time.UTC), Scope: "account_info.read files.content.read",
		AccountID: "dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc",
	}
	if *got != want || !got.AccessToken.Equal(access) || !got.RefreshToken.Equal(refresh) {
		t.Errorf("Exchange = %+v\nwant       %+v", *got, want)
	}
	r := <-server.seen
	form, err := url.ParseQuery(r.body)
	if err != nil {
		t.Fatal(err)
	}
	wantForm := url.Values{
		"grant_type": {"authorization_code"}, "code": {code.Reveal()}, "code_verifier": {verifier.Reveal()},
		"client_id": {appKey}, "redirect_uri": {"http://127.0.0.1:53682/"},
	}
	if form.Encode() != wantForm.Encode() {
		t.Errorf("form = %v\nwant   %v", form, wantForm)
	}
	if r.method != "POST" || r.path != "/oauth2/token" || r.query != "" || r.contentType != "application/x-www-form-urlencoded" ||
		r.accept != "application/json" || r.auth != "" || r.header.Get("User-Agent") == "" || r.header.Get("Cookie") != "" {
		t.Errorf("request = %+v", r)
	}
}

func TestExchangeWithoutRedirect(t *testing.T) {
	server := serve(t, answerJSON(200, grantJSON()))
	if _, err := dropboxClient(t, server.URL).Exchange(bounded(t), code, verifier, ""); err != nil {
		t.Fatal(err)
	}
	if form, _ := url.ParseQuery((<-server.seen).body); form.Has("redirect_uri") {
		t.Errorf("form = %v, want no redirect_uri", form)
	}
}

// TestRefusals: what the token endpoint says, and what it means for each grant.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		status            int
		body              string
		exchange, refresh error
		code, description string
	}{
		{400, `{"error":"invalid_grant","error_description":"code doesn't exist or has expired"}`, provider.ErrCodeRejected, provider.ErrRevoked, "invalid_grant", "code doesn't exist or has expired"},
		{401, `{"error":"invalid_grant"}`, provider.ErrCodeRejected, provider.ErrRevoked, "invalid_grant", ""},
		{400, `{"error_description": "redirect_uri mismatch", "error": "invalid_grant"}`, provider.ErrRedirectMismatch, provider.ErrRevoked, "invalid_grant", "redirect_uri mismatch"},
		{400, `{"error":"invalid_grant","error_description":"invalid code verifier"}`, provider.ErrVerifierMismatch, provider.ErrRevoked, "invalid_grant", "invalid code verifier"},
		{400, `{"error":"invalid_grant","error_description":"refresh token is malformed","error":"invalid_grant"}`, provider.ErrCodeRejected, provider.ErrRevoked, "invalid_grant", "refresh token is malformed"},
		{400, `{"error":"invalid_client: Invalid client_id or client_secret"}`, provider.ErrInvalidClient, provider.ErrInvalidClient, "invalid_client", "Invalid client_id or client_secret"},
		{401, `{"error":"invalid_client","error_description":"no"}`, provider.ErrInvalidClient, provider.ErrInvalidClient, "invalid_client", "no"},
		{400, `{"error":"invalid_request","error_description":"No auth function available for given request"}`, provider.ErrInvalidClient, provider.ErrInvalidClient, "invalid_request", "No auth function available for given request"},
		{400, `{"error":"invalid_scope"}`, provider.ErrMissingScope, provider.ErrMissingScope, "invalid_scope", ""},
		{400, `{"error":"invalid_request"}`, provider.ErrServerFault, provider.ErrServerFault, "invalid_request", ""},
		{400, `{"error":"unsupported_grant_type"}`, provider.ErrServerFault, provider.ErrServerFault, "unsupported_grant_type", ""},
		{400, `{"error":"v1_retired"}`, provider.ErrServerFault, provider.ErrServerFault, "v1_retired", ""},
		{400, `{"error":"Invalid_Grant"}`, provider.ErrServerFault, provider.ErrServerFault, "Invalid_Grant", ""},
		{400, `{}`, provider.ErrServerFault, provider.ErrServerFault, "", ""},
		{400, `{"error":{".tag":"other"}}`, provider.ErrServerFault, provider.ErrServerFault, "", ""},
		{400, ``, provider.ErrServerFault, provider.ErrServerFault, "", ""},
		{400, `"invalid_grant"`, provider.ErrUnexpectedAnswer, provider.ErrUnexpectedAnswer, "", ""},
		{400, `{"error":"invalid_grant"`, provider.ErrUnexpectedAnswer, provider.ErrUnexpectedAnswer, "", ""},
		{403, `{"error":"invalid_grant"}`, provider.ErrServerFault, provider.ErrServerFault, "invalid_grant", ""},
		{404, `{"error":"not_found"}`, provider.ErrServerFault, provider.ErrServerFault, "not_found", ""},
		{500, `{"error":"invalid_grant"}`, provider.ErrServerFault, provider.ErrServerFault, "invalid_grant", ""},
		{500, `{"error":"The server has either erred or is incapable of performing the requested operation."}`, provider.ErrServerFault, provider.ErrServerFault, "", "The server has either erred or is incapable of performing the requested operation."},
		{503, ``, provider.ErrServerFault, provider.ErrServerFault, "", ""},
		{429, `{"error":"invalid_grant"}`, provider.ErrRateLimited, provider.ErrRateLimited, "invalid_grant", ""},
		{511, `{"error":"invalid_grant"}`, provider.ErrUnexpectedAnswer, provider.ErrUnexpectedAnswer, "invalid_grant", ""},
		{200, `{"error":"invalid_grant"}`, provider.ErrUnexpectedAnswer, provider.ErrUnexpectedAnswer, "invalid_grant", ""},
		{201, grantJSON(), provider.ErrUnexpectedAnswer, provider.ErrUnexpectedAnswer, "", ""},
	} {
		t.Run(fmt.Sprint(test.status, " ", test.body), func(t *testing.T) {
			server := serve(t, answerJSON(test.status, test.body))
			c := dropboxClient(t, server.URL, quick)
			_, err := c.Exchange(bounded(t), code, verifier, "")
			e := fault(t, err, test.exchange)
			if e.Code != test.code || e.Description != test.description || e.Status != test.status ||
				e.RequestID != "0123456789abcdef0123456789abcdef" || !e.Sent {
				t.Errorf("exchange error = %+v", *e)
			}
			if n := len(server.seen); n != 1 {
				t.Errorf("the code was sent %d times", n)
			}
			_, err = c.Refresh(bounded(t), refresh, nil)
			e = fault(t, err, test.refresh)
			if e.Code != test.code || e.Description != test.description || e.Status != test.status {
				t.Errorf("refresh error = %+v", *e)
			}
		})
	}
}

// TestStrangeGrants: answers 200 that are odd, and what is made of them.
func TestStrangeGrants(t *testing.T) {
	token := `"access_token":"abc","token_type":"bearer"`
	for body, want := range map[string]provider.Token{
		`{` + token + `}`:                                  {},
		`{` + token + `,"expires_in":null}`:                {},
		`{` + token + `,"expires_in":3600}`:                {ExpiresIn: time.Hour},
		`{` + token + `,"expires_in":"3600"}`:              {ExpiresIn: time.Hour},
		`{` + token + `,"expires_in":" 3600 "}`:            {ExpiresIn: time.Hour},
		`{` + token + `,"expires_in":3600.5}`:              {ExpiresIn: time.Hour + time.Second/2},
		`{` + token + `,"expires_in":0}`:                   {ExpiresIn: time.Second},
		`{` + token + `,"expires_in":-5}`:                  {ExpiresIn: time.Second},
		`{` + token + `,"expires_in":1e300}`:               {ExpiresIn: 87600 * time.Hour},
		`{` + token + `,"expires_in":1e9999}`:              {ExpiresIn: 87600 * time.Hour},
		`{` + token + `,"expires_in":-1e9999}`:             {ExpiresIn: time.Second},
		`{` + token + `,"expires_in":"inf"}`:               {ExpiresIn: time.Second},
		`{` + token + `,"expires_in":"soon"}`:              {ExpiresIn: time.Second},
		`{` + token + `,"expires_in":{}}`:                  {ExpiresIn: time.Second},
		`{` + token + `,"scope":["a","b"],"account_id":7}`: {Scope: "a b"},
		`{` + token + `,"scope":"a\nb"}`:                   {},
		`{` + token + `,"account_id":"a]\nkeyring=x"}`:     {},
		`{` + token + `,"team_id":"dbtid:AAA"}`:            {TeamID: "dbtid:AAA"},
		`{` + token + `,"refresh_token":null}`:             {},
		`{"access_token":"x",` + token + `,"scope":""}`:    {},
		"{\"\xff\":\"\xfe\"," + token + "}":                {},
	} {
		c := newClient(t, provider.Dropbox(), provider.WithHTTPTransport(canned(200, nil, body)))
		got, err := c.Exchange(bounded(t), code, verifier, "")
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if got.AccessToken.Reveal() != "abc" {
			t.Errorf("%s: access token %q", body, got.AccessToken.Reveal())
		}
		got.AccessToken, want.TokenType = secret.Secret{}, "bearer"
		if *got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", body, *got, want)
		}
	}
	for _, body := range []string{
		``, `null`, `[]`, `"x"`, `{}`, `{"token_type":"bearer"}`,
		`{"access_token":"","token_type":"bearer"}`,
		`{"access_token":"abc"}`,
		`{"access_token":"abc","token_type":"mac"}`,
		`{"access_token":"abc","token_type":"DPoP"}`,
		`{"access_token":["abc"],"token_type":"bearer"}`,
		`{"Access_Token":"abc","token_type":"bearer"}`,
		`{"access_token":"a\r\nX-Injected: 1","token_type":"bearer"}`,
		`{"access_token":"a b","token_type":"bearer"}`,
		`{"access_token":"abc","token_type":"bearer","refresh_token":"a\u0000"}`,
		`{"access_token":"abc","token_type":"bearer"} trailing`,
		`{"access_token":"abc","token_type":"bearer"`,
	} {
		c := newClient(t, provider.Dropbox(), provider.WithHTTPTransport(canned(200, nil, body)))
		_, err := c.Exchange(bounded(t), code, verifier, "")
		fault(t, err, provider.ErrUnexpectedAnswer)
		// The server gave one, so that the code is spent.
		if given := strings.HasPrefix(body, `{"access_token":"a`) && strings.HasSuffix(body, "}"); errors.Is(err, provider.ErrTokenUnusable) != given {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestTokenTypeAnyCase(t *testing.T) {
	c := newClient(t, provider.Dropbox(), provider.WithHTTPTransport(canned(200, nil, `{"access_token":"abc","token_type":"BeArEr"}`)))
	if _, err := c.Exchange(bounded(t), code, verifier, ""); err != nil {
		t.Error(err)
	}
}

func TestContentTypes(t *testing.T) {
	for contentType, good := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "APPLICATION/JSON": true,
		"application/json; charset": true, "text/javascript": true, "application/problem+json": true, "": true,
		"text/html": false, "text/html; charset=utf-8": false, "text/plain": false, "application/x-www-form-urlencoded": false, "///": false,
	} {
		header := http.Header{}
		if contentType != "" {
			header.Set("Content-Type", contentType)
		}
		c := newClient(t, provider.Dropbox(), provider.WithHTTPTransport(canned(200, header, grantJSON())))
		_, err := c.Exchange(bounded(t), code, verifier, "")
		if good && err != nil {
			t.Errorf("%q: %v", contentType, err)
		}
		if !good {
			fault(t, err, provider.ErrUnexpectedAnswer)
		}
	}
}

func TestRefresh(t *testing.T) {
	server := serve(t,
		answerJSON(200, `{"access_token":"new","token_type":"bearer","expires_in":14400}`),
		answerJSON(200, `{"access_token":"new","token_type":"bearer","expires_in":14400,"refresh_token":"next","scope":"a b"}`))
	c := dropboxClient(t, server.URL)
	got, err := c.Refresh(bounded(t), refresh, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.AccessToken.Reveal() != "new" || !got.RefreshToken.IsZero() || got.ExpiresIn != 4*time.Hour || got.Date.IsZero() {
		t.Errorf("Refresh = %+v", *got)
	}
	want := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh.Reveal()}, "client_id": {appKey}}
	if r := <-server.seen; r.body != want.Encode() || r.query != "" || r.method != "POST" {
		t.Errorf("request = %+v", r)
	}
	got, err = c.Refresh(bounded(t), refresh, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	if got.RefreshToken.Reveal() != "next" || got.Scope != "a b" {
		t.Errorf("Refresh = %+v", *got)
	}
	want.Set("scope", "a b")
	if r := <-server.seen; r.body != want.Encode() {
		t.Errorf("request = %+v", r)
	}
}

func TestNothingToSend(t *testing.T) {
	c := newClient(t, provider.Dropbox(), provider.WithHTTPTransport(roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, http.ErrAbortHandler
	})))
	_, err := c.Exchange(bounded(t), secret.Secret{}, verifier, "")
	fault(t, err, provider.ErrNotACode)
	_, err = c.Refresh(bounded(t), secret.Secret{}, nil)
	if e := fault(t, err, provider.ErrInvalidToken); e.Sent {
		t.Error("Sent is true")
	}
}
