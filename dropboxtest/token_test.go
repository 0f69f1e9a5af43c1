package dropboxtest_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
)

const (
	noCode      = "code doesn't exist or has expired"
	badRedirect = "redirect_uri mismatch"
	badVerifier = "invalid code verifier"
	noAuth      = "No auth function available for given request"
	revoked     = "refresh token is invalid or revoked"
)

// wantError checks an error answer of the token endpoint.
func wantError(t *testing.T, a answer, code, description string) {
	t.Helper()
	got := a.json(t)
	if a.status != 400 || str(got, "error") != code || str(got, "error_description") != description {
		t.Errorf("answer %d %s, want 400 %s %q", a.status, a.body, code, description)
	}
}

func TestTokenAnswer(t *testing.T) {
	allScopes := strings.Join(dropboxtest.DefaultApp().Scopes, " ")
	t.Run("T1 offline", func(t *testing.T) {
		b := start(t)
		a := b.exchange(b.approve(authorize()))
		got := a.json(t)
		if a.status != 200 || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("answer %d, Cache-Control %q", a.status, a.header.Get("Cache-Control"))
		}
		if !strings.HasPrefix(str(got, "access_token"), "sl.") || len(str(got, "access_token")) < 100 || len(str(got, "refresh_token")) != 64 {
			t.Error("the tokens have not the shapes of Dropbox's")
		}
		for name, want := range map[string]any{
			"token_type": "bearer", "expires_in": 14400.0, "scope": allScopes,
			"uid": dropboxtest.DefaultUser().UID, "account_id": dropboxtest.DefaultUser().AccountID,
		} {
			if got[name] != want {
				t.Errorf("%s = %v, want %v", name, got[name], want)
			}
		}
		if len(got) != 7 {
			t.Errorf("%d members, want 7", len(got))
		}
	})
	t.Run("T1 online", func(t *testing.T) {
		b := start(t)
		for _, access := range []string{"online", "-"} {
			got := b.link("token_access_type", access)
			if got["refresh_token"] != nil || got["expires_in"] != 14400.0 {
				t.Errorf("%s: refresh token or no expiry", access)
			}
		}
	})
	t.Run("T1 legacy", func(t *testing.T) {
		b := two(t)
		for _, access := range []string{"legacy", "-"} {
			a := b.token("grant_type", "authorization_code", "code", b.approve(authorizeSecretive("token_access_type", access)),
				"client_id", confidentialApp().ClientID, "client_secret", appSecret)
			got := a.json(t)
			if a.status != 200 || got["refresh_token"] != nil || got["expires_in"] != nil || strings.HasPrefix(str(got, "access_token"), "sl.") {
				t.Errorf("%s: %d", access, a.status)
			}
		}
	})
	t.Run("T1 narrowed", func(t *testing.T) {
		b := start(t)
		if got := b.link("scope", "sharing.write  account_info.read"); str(got, "scope") != "account_info.read sharing.write" {
			t.Errorf("scope = %q", str(got, "scope"))
		}
	})
	t.Run("T1 unscoped app", func(t *testing.T) {
		b := start(t, dropboxtest.WithApp(dropboxtest.App{ClientID: dropboxtest.DefaultClientID, Unscoped: true}))
		got := b.link()
		if got["scope"] != nil {
			t.Errorf("scope = %v", got["scope"])
		}
		if a := b.api(str(got, "access_token"), "users/get_current_account", "null"); a.status != 200 {
			t.Errorf("API: %d %s", a.status, a.body)
		}
	})
	t.Run("T1 team", func(t *testing.T) {
		app := dropboxtest.DefaultApp()
		app.TeamLink = true
		b := start(t, dropboxtest.WithApp(app), dropboxtest.WithUser(dropboxtest.User{Team: &dropboxtest.Team{}}))
		got := b.link()
		if got["account_id"] != nil || !strings.HasPrefix(str(got, "team_id"), "dbtid:") {
			t.Errorf("account_id = %v, team_id = %v", got["account_id"], got["team_id"])
		}
	})
	t.Run("T1 alias", func(t *testing.T) {
		b := start(t)
		a := b.post("/1/oauth2/token", values("grant_type", "authorization_code", "code", b.approve(authorize()),
			"client_id", dropboxtest.DefaultClientID, "code_verifier", verifier))
		if a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("T1 in the query", func(t *testing.T) {
		b := start(t)
		q := values("grant_type", "authorization_code", "code", b.approve(authorize()),
			"client_id", dropboxtest.DefaultClientID, "code_verifier", verifier)
		r := b.request("POST", "/oauth2/token?"+q.Encode(), nil)
		r.Header.Set("Content-Type", "application/json")
		if a := b.do(r); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
		if log := b.Requests(); !log[len(log)-1].SecretInURL {
			t.Error("the log does not tell of the secret in the URL")
		}
	})
	t.Run("T1 locale twice", func(t *testing.T) { // as the Python SDK sends it
		b := start(t)
		a := b.post("/oauth2/token?locale=de", values("grant_type", "authorization_code", "code", b.approve(authorize()),
			"client_id", dropboxtest.DefaultClientID, "code_verifier", verifier, "locale", "de"))
		if a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("T1 plain challenge", func(t *testing.T) {
		b := start(t)
		b.link("code_challenge", verifier, "code_challenge_method", "plain")
	})
	t.Run("T1 Basic", func(t *testing.T) {
		b := two(t)
		form := values("grant_type", "authorization_code", "code", b.approve(authorizeSecretive()))
		r := b.request("POST", "/oauth2/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(confidentialApp().ClientID, appSecret)
		if a := b.do(r); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
	t.Run("T1 redirect", func(t *testing.T) {
		b := two(t)
		a := b.post(authorizeSecretive("redirect_uri", redirectURI), values("decision", "allow"))
		u, err := url.Parse(a.header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		a = b.token("grant_type", "authorization_code", "code", u.Query().Get("code"), "redirect_uri", redirectURI,
			"client_id", confidentialApp().ClientID, "client_secret", appSecret)
		if a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestRefusedCodes(t *testing.T) {
	t.Run("T2 unknown", func(t *testing.T) {
		b := start(t)
		wantError(t, b.exchange("nonsense"), "invalid_grant", noCode)
		wantError(t, b.exchange(""), "invalid_grant", noCode)
		wantError(t, b.exchange(b.approve(authorize())+" "), "invalid_grant", noCode)
	})
	t.Run("T2 used", func(t *testing.T) {
		b := start(t)
		code := b.approve(authorize())
		if a := b.exchange(code); a.status != 200 {
			t.Fatal(a.body)
		}
		wantError(t, b.exchange(code), "invalid_grant", noCode)
	})
	t.Run("T2 expired", func(t *testing.T) {
		for _, test := range []struct {
			age  time.Duration
			want int
		}{{10*time.Minute - 1, 200}, {10 * time.Minute, 400}} {
			c := newClock()
			b := start(t, dropboxtest.WithClock(c.Now))
			code := b.approve(authorize())
			c.Advance(test.age)
			a := b.exchange(code)
			if a.status != test.want {
				t.Errorf("after %v: %d, want %d", test.age, a.status, test.want)
			}
			if a.status == 400 {
				wantError(t, a, "invalid_grant", noCode)
			}
		}
	})
	t.Run("T2 code TTL", func(t *testing.T) {
		c := newClock()
		b := start(t, dropboxtest.WithClock(c.Now), dropboxtest.WithCodeTTL(time.Minute))
		code := b.approve(authorize())
		c.Advance(time.Minute)
		wantError(t, b.exchange(code), "invalid_grant", noCode)
	})
	t.Run("T2 other client", func(t *testing.T) {
		b := two(t)
		code := b.approve(authorize())
		wantError(t, b.token("grant_type", "authorization_code", "code", code, "client_id", confidentialApp().ClientID,
			"client_secret", appSecret, "code_verifier", verifier), "invalid_grant", noCode)
		if a := b.exchange(code); a.status != 200 {
			t.Errorf("the stranger spent the code: %s", a.body)
		}
	})
	t.Run("T3", func(t *testing.T) {
		b := two(t)
		for name, pair := range map[string][2]string{
			"missing": {redirectURI, ""}, "other": {redirectURI, redirectURI2}, "not asked for": {"-", redirectURI},
		} {
			code := b.approve(authorizeSecretive("redirect_uri", pair[0]))
			a := b.token("grant_type", "authorization_code", "code", code, "redirect_uri", pair[1],
				"client_id", confidentialApp().ClientID, "client_secret", appSecret)
			t.Log(name)
			wantError(t, a, "invalid_grant", badRedirect)
		}
	})
	t.Run("T4", func(t *testing.T) {
		b := two(t)
		withSecret := func(code string, pairs ...string) answer {
			return b.token(append([]string{"grant_type", "authorization_code", "code", code,
				"client_id", confidentialApp().ClientID, "client_secret", appSecret}, pairs...)...)
		}
		code := b.approve(authorize("client_id", confidentialApp().ClientID))
		wantError(t, withSecret(code), "invalid_grant", badVerifier)
		wantError(t, withSecret(code, "code_verifier", verifier+"x"), "invalid_grant", badVerifier)
		wantError(t, withSecret(code, "code_verifier", "short"), "invalid_grant", badVerifier)
		wantError(t, withSecret(code, "code_verifier", challenge()), "invalid_grant", badVerifier)
		if a := withSecret(code, "code_verifier", verifier); a.status != 200 {
			t.Errorf("a wrong verifier spent the code: %s", a.body)
		}
		// A verifier for a code without a challenge: somebody stripped it.
		wantError(t, withSecret(b.approve(authorizeSecretive()), "code_verifier", verifier), "invalid_grant", badVerifier)
	})
	t.Run("T4 burns the code", func(t *testing.T) {
		b := start(t, dropboxtest.WithBurnCodeOnWrongVerifier())
		code := b.approve(authorize())
		wantError(t, b.token("grant_type", "authorization_code", "code", code, "client_id", dropboxtest.DefaultClientID,
			"code_verifier", strings.Repeat("w", 43)), "invalid_grant", badVerifier)
		wantError(t, b.exchange(code), "invalid_grant", noCode)
	})
}

func TestClientAuthentication(t *testing.T) {
	secretive := confidentialApp().ClientID
	wrongClient := func(t *testing.T, a answer) {
		t.Helper()
		wantError(t, a, "invalid_client: Invalid client_id or client_secret", "")
	}
	t.Run("T5 code", func(t *testing.T) {
		b := two(t)
		for _, client := range []string{dropboxtest.DefaultClientID, secretive} {
			code := b.approve(authorize("client_id", client))
			wantError(t, b.token("grant_type", "authorization_code", "code", code, "client_id", client), "invalid_request", noAuth)
		}
		wantError(t, b.token("grant_type", "authorization_code", "code", "x", "code_verifier", verifier), "invalid_request", noAuth)
	})
	t.Run("T5 refresh", func(t *testing.T) {
		b := two(t)
		got := b.token("grant_type", "authorization_code", "code", b.approve(authorizeSecretive()),
			"client_id", secretive, "client_secret", appSecret).json(t)
		refresh := str(got, "refresh_token")
		wantError(t, b.token("grant_type", "refresh_token", "refresh_token", refresh, "client_id", secretive), "invalid_request", noAuth)
		wantError(t, b.token("grant_type", "refresh_token", "refresh_token", refresh), "invalid_request", noAuth)
		if a := b.token("grant_type", "refresh_token", "refresh_token", refresh, "client_id", secretive, "client_secret", appSecret); a.status != 200 {
			t.Errorf("with the secret: %s", a.body)
		}
	})
	t.Run("T6", func(t *testing.T) {
		b := two(t)
		refresh := b.RefreshToken(dropboxtest.DefaultUser().AccountID)
		wrongClient(t, b.token("grant_type", "refresh_token", "refresh_token", refresh, "client_id", "nobody"))
		wrongClient(t, b.token("grant_type", "refresh_token", "refresh_token", refresh, "client_id", secretive, "client_secret", "guess"))
		wrongClient(t, b.token("grant_type", "refresh_token", "refresh_token", refresh, "client_id", dropboxtest.DefaultClientID, "client_secret", "guess"))
		wrongClient(t, b.token("grant_type", "authorization_code", "code", "x", "client_id", "nobody", "code_verifier", verifier))

		r := b.request("POST", "/oauth2/token", strings.NewReader(values("grant_type", "refresh_token",
			"refresh_token", refresh, "client_id", dropboxtest.DefaultClientID).Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(secretive+":"+appSecret)))
		wrongClient(t, b.do(r))
	})
	t.Run("T6 split", func(t *testing.T) {
		b := start(t, dropboxtest.WithSplitInvalidClient())
		wantError(t, b.token("grant_type", "refresh_token", "refresh_token", "x", "client_id", "nobody"),
			"invalid_client", "Invalid client_id or client_secret")
	})
}

func TestRefresh(t *testing.T) {
	t.Run("T7", func(t *testing.T) {
		b := start(t, dropboxtest.WithAccessTokenTTL(90*time.Second))
		linked := b.link()
		refresh := str(linked, "refresh_token")
		for range 3 { // refresh tokens are good for ever
			a := b.renew(refresh)
			got := a.json(t)
			if a.status != 200 || len(got) != 3 || got["token_type"] != "bearer" || got["expires_in"] != 90.0 {
				t.Errorf("answer %d with members %d, want access_token, token_type and expires_in", a.status, len(got))
			}
			if str(got, "access_token") == str(linked, "access_token") {
				t.Error("the access token is the old one")
			}
		}
		if a := b.api(str(linked, "access_token"), "check/user", `{"query":"x"}`); a.status != 200 {
			t.Errorf("a refresh ended the first access token: %s", a.body)
		}
	})
	t.Run("T7 narrowed", func(t *testing.T) {
		b := start(t)
		refresh := str(b.link(), "refresh_token")
		got := b.renew(refresh, "scope", "files.metadata.read").json(t)
		if str(got, "scope") != "files.metadata.read" {
			t.Errorf("scope = %v", got["scope"])
		}
		if tag := b.tag(b.api(str(got, "access_token"), "users/get_current_account", "null")); tag != "missing_scope" {
			t.Errorf("tag = %s", tag)
		}
		got = b.renew(refresh).json(t)
		if a := b.api(str(got, "access_token"), "users/get_current_account", "null"); a.status != 200 {
			t.Errorf("narrowing stuck to the grant: %s", a.body)
		}
	})
	t.Run("T7 rotation", func(t *testing.T) {
		b := start(t, dropboxtest.WithRotation())
		first := str(b.link(), "refresh_token")
		second := str(b.renew(first).json(t), "refresh_token")
		if len(second) != 64 || second == first {
			t.Fatal("no new refresh token")
		}
		wantError(t, b.renew(first), "invalid_grant", revoked)
		if a := b.renew(second); a.status != 200 {
			t.Errorf("the new one: %s", a.body)
		}
	})
	t.Run("T8", func(t *testing.T) {
		b := two(t)
		ada := dropboxtest.DefaultUser().AccountID
		refresh := b.RefreshToken(ada)
		kept := b.RefreshToken("dbid:bob")
		wantError(t, b.token("grant_type", "refresh_token", "refresh_token", refresh,
			"client_id", confidentialApp().ClientID, "client_secret", appSecret), "invalid_grant", revoked)
		if n := b.Revoke(ada); n != 1 {
			t.Errorf("Revoke = %d", n)
		}
		wantError(t, b.renew(refresh), "invalid_grant", revoked)
		wantError(t, b.renew(strings.Repeat("A", 64)), "invalid_grant", revoked)
		if a := b.renew(kept); a.status != 200 {
			t.Errorf("another account's: %s", a.body)
		}
		for _, malformed := range []string{b.approve(authorize()), refresh[:63], refresh[:63] + "!", "x"} {
			wantError(t, b.renew(malformed), "invalid_grant", "refresh token is malformed")
		}
	})
	t.Run("T9", func(t *testing.T) {
		b := start(t)
		refresh := str(b.link("scope", "sharing.read"), "refresh_token")
		a := b.renew(refresh, "scope", "sharing.read sharing.write")
		if got := a.json(t); a.status != 400 || got["error"] != "invalid_scope" {
			t.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestOtherTokenRequests(t *testing.T) {
	b := start(t)
	a := b.token("grant_type", "password", "client_id", dropboxtest.DefaultClientID)
	if got := a.json(t); a.status != 400 || got["error"] != "unsupported_grant_type" {
		t.Errorf("T10 %d %s", a.status, a.body)
	}
	for name, a := range map[string]answer{
		"no grant type":    b.token(),
		"no refresh token": b.renew(""),
		"twice": b.post("/oauth2/token", url.Values{"grant_type": {"refresh_token", "refresh_token"},
			"client_id": {dropboxtest.DefaultClientID}}),
		"broken query": b.post("/oauth2/token?%zz", nil),
		"huge":         b.token("grant_type", "refresh_token", "refresh_token", strings.Repeat("x", 100_000)),
	} {
		if got := a.json(t); a.status != 400 || got["error"] != "invalid_request" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	for _, method := range []string{"GET", "HEAD", "PUT"} {
		for _, path := range []string{"/oauth2/token", "/1/oauth2/token"} {
			if a := b.do(b.request(method, path, nil)); a.status != 405 || a.header.Get("Allow") != "POST" {
				t.Errorf("T10 %s %s: %d", method, path, a.status)
			}
		}
	}
}
