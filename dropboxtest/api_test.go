package dropboxtest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
)

const account = "users/get_current_account"

func TestAuthorizationHeader(t *testing.T) {
	b := start(t)
	token := str(b.link(), "access_token")
	for name, value := range map[string]string{"missing": "", "Basic": "Basic eA==", "bare": token, "empty": "Bearer ", "scheme": "Bearer"} {
		r := b.request("POST", "/2/"+account, strings.NewReader("null"))
		r.Header.Set("Content-Type", "application/json")
		if value != "" {
			r.Header.Set("Authorization", value)
		}
		a := b.do(r)
		if a.status != 400 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") ||
			!strings.HasPrefix(a.body, `Error in call to API function "users/get_current_account": `) {
			t.Errorf("R1 %s: %d %s", name, a.status, a.body)
		}
		if value != "" && !strings.Contains(a.body, `Invalid authorization value in HTTP header "Authorization"`) {
			t.Errorf("R1 %s: %s", name, a.body)
		}
	}
	r := b.request("POST", "/2/"+account, nil)
	r.Header.Set("Authorization", "bearer "+token) // RFC 9110 section 11.1: schemes have no case
	if a := b.do(r); a.status != 200 {
		t.Errorf("R1 lower case: %d %s", a.status, a.body)
	}
}

func TestRefusedTokens(t *testing.T) {
	c := newClock()
	b := start(t, dropboxtest.WithClock(c.Now))
	ada := dropboxtest.DefaultUser().AccountID
	linked := b.link()
	token := str(linked, "access_token")
	want := func(row, token, tag string) {
		t.Helper()
		a := b.api(token, account, "null")
		if got := b.tag(a); a.status != 401 || got != tag {
			t.Errorf("%s: %d %s, want 401 %s", row, a.status, got, tag)
		}
	}
	want("R2 garbage", "nonsense", "invalid_access_token")
	want("R2 a code", b.approve(authorize()), "invalid_access_token")
	want("R2 a refresh token", str(linked, "refresh_token"), "invalid_access_token")

	c.Advance(4*time.Hour - 1)
	if a := b.api(token, account, "null"); a.status != 200 {
		t.Errorf("just before the expiry: %s", a.body)
	}
	c.Advance(1)
	want("R2 expired", token, "expired_access_token")

	token = str(b.renew(str(linked, "refresh_token")).json(t), "access_token")
	b.ExpireAccessTokens()
	want("R2 expired at once", token, "expired_access_token")

	narrow := str(b.link("scope", "sharing.read"), "access_token")
	want("R2 scope", narrow, "missing_scope")
	detail, _ := b.api(narrow, account, "null").json(t)["error"].(map[string]any)
	if detail["required_scope"] != "account_info.read" {
		t.Errorf("R2 required_scope = %v", detail["required_scope"])
	}

	legacy := b.LegacyToken(ada)
	c.Advance(10 * 365 * 24 * time.Hour)
	if a := b.api(legacy, account, "null"); a.status != 200 {
		t.Errorf("a long-lived token after ten years: %s", a.body)
	}
	b.ExpireAccessTokens()
	if a := b.api(legacy, account, "null"); a.status != 200 {
		t.Errorf("a long-lived token expired: %s", a.body)
	}

	b.Suspend(ada, true)
	want("R2 suspended", legacy, "user_suspended")
	b.Suspend(ada, false)
	b.Revoke(ada)
	want("R2 revoked", legacy, "invalid_access_token")
}

func TestDotsVary(t *testing.T) {
	b := start(t)
	seen := map[string]bool{}
	for range 200 {
		seen[str(b.api("x", account, "null").json(t), "error_summary")] = true
	}
	if len(seen) != 4 {
		t.Errorf("summaries %v, want four", seen)
	}
}

func TestCheck(t *testing.T) {
	b := two(t)
	token := str(b.link(), "access_token")
	for _, test := range []struct {
		body, want string
		status     int
	}{
		{`{"query":"foo"}`, "foo", 200},
		{`{"query":"` + strings.Repeat("ä", 500) + `"}`, strings.Repeat("ä", 500), 200},
		{`{}`, "", 200},
		{`{"query":"` + strings.Repeat("x", 501) + `"}`, "", 400},
		{`null`, "", 400},
		{`{"query":1}`, "", 400},
		{`[]`, "", 400},
	} {
		a := b.api(token, "check/user", test.body)
		if a.status != test.status || a.status == 200 && str(a.json(t), "result") != test.want {
			t.Errorf("R3 %.40s: %d %s", test.body, a.status, a.body)
		}
	}
	for secret, want := range map[string]int{appSecret: 200, "guess": 400} {
		r := b.request("POST", "/2/check/app", strings.NewReader(`{"query":"foo"}`))
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth(confidentialApp().ClientID, secret)
		if a := b.do(r); a.status != want {
			t.Errorf("check/app: %d %s", a.status, a.body)
		}
	}
}

func TestCurrentAccount(t *testing.T) {
	t.Run("R4", func(t *testing.T) {
		b := start(t)
		ada := dropboxtest.DefaultUser()
		a := b.api(str(b.link(), "access_token"), account, "null")
		var got struct {
			AccountID string `json:"account_id"`
			Email     string
			Name      struct {
				Display string `json:"display_name"`
			}
			Type struct {
				Tag string `json:".tag"`
			} `json:"account_type"`
			Root struct {
				Tag string `json:".tag"`
			} `json:"root_info"`
		}
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			t.Fatal(err)
		}
		if got.AccountID != ada.AccountID || len(got.AccountID) != 40 || got.Email != ada.Email ||
			got.Name.Display != "Ada Lovelace" || got.Type.Tag != "basic" || got.Root.Tag != "user" {
			t.Errorf("account %+v", got)
		}
	})
	t.Run("R4 team member", func(t *testing.T) {
		b := start(t, dropboxtest.WithUser(dropboxtest.User{GivenName: "Grace", Surname: "Hopper", Team: &dropboxtest.Team{Name: "Mark I"}}))
		got := b.api(str(b.link(), "access_token"), account, "null").json(t)
		root, _ := got["root_info"].(map[string]any)
		team, _ := got["team"].(map[string]any)
		if root[".tag"] != "team" || root["home_path"] != "/Grace Hopper" || team["name"] != "Mark I" ||
			!strings.HasPrefix(str(got, "team_member_id"), "dbmid:") {
			t.Errorf("account %v", got)
		}
	})
	t.Run("R4 team link", func(t *testing.T) {
		app := dropboxtest.DefaultApp()
		app.TeamLink = true
		b := start(t, dropboxtest.WithApp(app), dropboxtest.WithUser(dropboxtest.User{Team: &dropboxtest.Team{MemberID: "dbmid:grace"}}))
		token := str(b.link(), "access_token")
		for member, want := range map[string]int{"dbmid:grace": 200, "dbmid:eve": 401, "": 400} {
			r := b.request("POST", "/2/"+account, nil)
			r.Header.Set("Authorization", "Bearer "+token)
			if member != "" {
				r.Header.Set("Dropbox-API-Select-User", member)
			}
			if a := b.do(r); a.status != want {
				t.Errorf("member %q: %d %s, want %d", member, a.status, a.body, want)
			}
		}
	})
}

func TestRevoke(t *testing.T) {
	b := start(t)
	linked, other := b.link(), b.link()
	refresh := str(linked, "refresh_token")
	sibling := str(b.renew(refresh).json(t), "access_token")
	code := b.approve(authorize())
	if n := len(b.Grants()); n != 2 || b.Grants()[0].AccessTokens != 2 || b.Grants()[0].AccessType != "offline" {
		t.Errorf("grants %v", b.Grants())
	}
	a := b.api(str(linked, "access_token"), "auth/token/revoke", "null")
	if a.status != 200 || a.body != "null" || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("R5: %d %s", a.status, a.body)
	}
	for _, token := range []string{str(linked, "access_token"), sibling} {
		if tag := b.tag(b.api(token, account, "null")); tag != "invalid_access_token" {
			t.Errorf("R5 tag = %s", tag)
		}
	}
	if tag := b.tag(b.api(sibling, "auth/token/revoke", "null")); tag != "invalid_access_token" {
		t.Errorf("R5 again: tag = %s", tag)
	}
	wantError(t, b.renew(refresh), "invalid_grant", revoked)
	if a := b.renew(str(other, "refresh_token")); a.status != 200 {
		t.Errorf("R5 ended the grant of another link: %s", a.body)
	}
	if a := b.exchange(code); a.status != 200 {
		t.Errorf("R5 ended a code: %s", a.body)
	}

	legacy, second := b.LegacyToken(b.User().AccountID), b.LegacyToken(b.User().AccountID)
	if a := b.api(legacy, "auth/token/revoke", "null"); a.status != 200 {
		t.Errorf("R5 legacy: %s", a.body)
	}
	if tag := b.tag(b.api(legacy, account, "null")); tag != "invalid_access_token" {
		t.Errorf("R5 legacy: tag = %s", tag)
	}
	if a := b.api(second, account, "null"); a.status != 200 {
		t.Errorf("R5 ended another long-lived token: %s", a.body)
	}
}

func TestFromOAuth1(t *testing.T) {
	b := two(t)
	r := b.request("POST", "/2/auth/token/from_oauth1", strings.NewReader(`{"oauth1_token":"x","oauth1_token_secret":"y"}`))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(confidentialApp().ClientID, appSecret)
	a := b.do(r)
	if tag := b.tag(a); a.status != 409 || tag != "invalid_oauth1_token_info" {
		t.Errorf("R6: %d %s", a.status, a.body)
	}
}

func TestArguments(t *testing.T) {
	b := start(t)
	token := str(b.link(), "access_token")
	for _, test := range []struct {
		name, contentType, body string
		status                  int
		want                    string
	}{
		{"R7 empty", "application/json", "", 400, "request body: could not decode input as JSON"},
		{"R7 broken", "application/json", "{", 400, "request body: could not decode input as JSON"},
		{"not void", "application/json", "{}", 400, "request body"},
		{"void", "application/json", " null\n", 200, "account_id"},
		{"charset", "application/json; charset=utf-8", "null", 200, "account_id"},
		{"neither", "", "", 200, "account_id"},
		{"form", "application/x-www-form-urlencoded", "", 400, `Bad HTTP "Content-Type" header`},
		{"body alone", "", "null", 400, `Bad HTTP "Content-Type" header`},
		{"huge", "application/json", strings.Repeat(" ", 2<<20), 413, "too large"},
	} {
		r := b.request("POST", "/2/"+account, strings.NewReader(test.body))
		r.Header.Set("Authorization", "Bearer "+token)
		if test.contentType != "" {
			r.Header.Set("Content-Type", test.contentType)
		}
		if a := b.do(r); a.status != test.status || !strings.Contains(a.body, test.want) {
			t.Errorf("%s: %d %s, want %d %q", test.name, a.status, a.body, test.status, test.want)
		}
	}
	for _, method := range []string{"GET", "HEAD"} {
		if a := b.do(b.request(method, "/2/"+account, nil)); a.status != 405 {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	if a := b.api(token, "files/list_folder", "null"); a.status != 400 || !strings.Contains(a.body, "Unknown API function") {
		t.Errorf("unknown route: %d %s", a.status, a.body)
	}
}
