package dropboxtest_test

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/authring/authring/dropboxtest"
)

// TestRefusedAuthorizeRequests holds rows A1 to A3: a page, never a redirect.
func TestRefusedAuthorizeRequests(t *testing.T) {
	b := two(t, dropboxtest.WithAutoApprove(), dropboxtest.WithApp(dropboxtest.App{ClientID: "unscoped", Unscoped: true}))
	const mismatch = "Invalid redirect_uri. It must exactly match one of the redirect URIs " +
		"you've pre-configured for your app (including the path)."
	for _, test := range []struct {
		row, name, path, want string
	}{
		{"A1", "unknown client", authorize("client_id", "nobody"), `Invalid client_id: "nobody".`},
		{"A1", "no client", authorize("client_id", "-"), `Invalid client_id: "".`},
		{"A1", "markup", authorize("client_id", "<script>alert(1)</script>"), `Invalid client_id: "&lt;script&gt;alert(1)&lt;/script&gt;".`},
		{"A2", "none registered", authorize("redirect_uri", redirectURI), mismatch},
		{"A2", "other port", authorizeSecretive("redirect_uri", "http://127.0.0.1:53683/callback"), mismatch},
		{"A2", "other host spelling", authorizeSecretive("redirect_uri", "http://localhost:53682/callback"), mismatch},
		{"A2", "trailing slash", authorizeSecretive("redirect_uri", redirectURI+"/"), mismatch},
		{"A2", "empty", authorizeSecretive("redirect_uri", ""), mismatch},
		{"A3", "no response type", authorize("response_type", "-"), "response_type"},
		{"A3", "other response type", authorize("response_type", "id_token"), "response_type"},
		{"A3", "token without redirect", authorize("response_type", "token"), "response_type"},
		{"A3", "access type", authorize("token_access_type", "forever"), "token_access_type"},
		{"A3", "legacy not allowed", authorize("token_access_type", "legacy"), "token_access_type"},
		{"A3", "short challenge", authorize("code_challenge", challenge()[1:]), "code_challenge"},
		{"A3", "padded challenge", authorize("code_challenge", challenge()[:42]+"="), "code_challenge"},
		{"A3", "plain challenge", authorize("code_challenge", "short", "code_challenge_method", "plain"), "code_challenge"},
		{"A3", "method", authorize("code_challenge_method", "S512"), "code_challenge_method"},
		{"A3", "method alone", authorize("code_challenge", "-"), "code_challenge_method"},
		{"A3", "granted without scope", authorize("include_granted_scopes", "user"), "include_granted_scopes"},
		{"A3", "granted value", authorize("include_granted_scopes", "all", "scope", "sharing.read"), "include_granted_scopes"},
		{"A3", "foreign scope", authorize("scope", "sharing.read team_data.member"), `"scope": the app does not have the scope "team_data.member"`},
		{"A3", "scope of an unscoped app", authorize("client_id", "unscoped", "scope", strings.Repeat("x", 79)),
			`"scope": must be at most 0 characters, got 79`},
		{"A3", "state", authorize("state", strings.Repeat("s", 501)), `"state": must be at most 500 bytes, got 501`},
		{"A3", "switch", authorize("force_reapprove", "yes"), "force_reapprove"},
		{"A3", "role", authorize("require_role", "boss"), "require_role"},
		{"A3", "twice", authorize() + "&scope=sharing.read&scope=sharing.write", `"scope": given more than once`},
		{"A3", "broken query", authorize() + "&a=%zz", "query"},
	} {
		t.Run(test.row+" "+test.name, func(t *testing.T) {
			a := b.get(test.path)
			if a.status != 400 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
				t.Errorf("answer %d %s, want 400 text/html", a.status, a.header.Get("Content-Type"))
			}
			if !strings.Contains(a.body, test.want) || !strings.Contains(a.body, "It seems the app you were using submitted a bad request") {
				t.Errorf("page has not %q:\n%s", test.want, a.body)
			}
			if a.header.Get("Location") != "" {
				t.Error("a bad request was redirected")
			}
			if _, err := b.Approve(b.URL + test.path); err == nil {
				t.Error("Approve took it")
			} else if text := html.UnescapeString(test.want); !strings.Contains(err.Error(), text) {
				t.Errorf("Approve says %q, want %q in it", err, text)
			}
		})
	}
}

// TestAcceptedAuthorizeRequests holds row A4, for requests at the edge.
func TestAcceptedAuthorizeRequests(t *testing.T) {
	b := two(t, dropboxtest.WithStateLimit(2000))
	for name, path := range map[string]string{
		"usual":                authorize(),
		"alias":                strings.Replace(authorize(), "/oauth2/", "/1/oauth2/", 1),
		"all parameters":       authorize("locale", "de", "force_reapprove", "true", "disable_signup", "true", "force_reauthentication", "false", "require_role", "work"),
		"some scopes":          authorize("scope", "sharing.read files.content.read"),
		"granted scopes":       authorize("scope", "sharing.read", "include_granted_scopes", "user"),
		"plain challenge":      authorize("code_challenge", verifier, "code_challenge_method", "plain"),
		"no challenge method":  authorize("code_challenge_method", "-"),
		"long state":           authorize("state", strings.Repeat("s", 2000)),
		"redirect not encoded": authorizeSecretive() + "&redirect_uri=" + redirectURI,
		"token":                authorizeSecretive("response_type", "token", "redirect_uri", redirectURI),
		"legacy":               authorizeSecretive("token_access_type", "legacy"),
	} {
		t.Run("A4 "+name, func(t *testing.T) {
			a := b.get(path)
			if a.status != 200 || !strings.Contains(a.body, `id="allow"`) || !strings.Contains(a.body, `id="deny"`) {
				t.Errorf("answer %d, want the consent page:\n%s", a.status, a.body)
			}
		})
	}
	if n := len(b.Grants()); n != 0 {
		t.Errorf("%d grants before anybody allowed anything", n)
	}
}

func TestConsentPageSaysWhoAsksForWhat(t *testing.T) {
	b := start(t)
	a := b.get(authorize("scope", "account_info.read sharing.write"))
	for _, want := range []string{"Maestral", "Ada Lovelace", "ada@example.org", "account_info.read", "sharing.write", "local emulator"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page has not %q", want)
		}
	}
	if strings.Contains(a.body, "files.content.write") {
		t.Error("the page names a scope that was not asked for")
	}
	policy := a.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q has not %q", policy, want)
		}
	}
	if regexp.MustCompile(`(?i)<script|\son[a-z]+=|src=|https?://`).MatchString(strings.ReplaceAll(a.body, "http://www.w3.org/2000/svg", "")) {
		t.Errorf("the page has a script or an outside address:\n%s", a.body)
	}
}

var codeElement = regexp.MustCompile(`<code id="auth-code"[^>]*>([^<]*)</code>`)

// codeOf returns the code that a page shows.
func codeOf(t *testing.T, a answer) string {
	t.Helper()
	m := codeElement.FindStringSubmatch(a.body)
	if a.status != 200 || m == nil {
		t.Fatalf("answer %d without a code:\n%s", a.status, a.body)
	}
	return m[1]
}

func TestAllowShowsTheCode(t *testing.T) {
	t.Run("A5 form", func(t *testing.T) {
		b := start(t)
		a := b.post(authorize(), values("decision", "allow"))
		code := codeOf(t, a)
		if len(code) != 43 {
			t.Errorf("the code has %d characters, want 43", len(code))
		}
		if !strings.Contains(a.body, "Enter this code into Maestral to finish the process") {
			t.Errorf("wording:\n%s", a.body)
		}
		if a := b.exchange(code); a.status != 200 {
			t.Errorf("exchange: %d %s", a.status, a.body)
		}
	})
	t.Run("A5 auto-approve", func(t *testing.T) {
		b := start(t, dropboxtest.WithAutoApprove())
		if a := b.exchange(codeOf(t, b.get(authorize()))); a.status != 200 {
			t.Errorf("exchange: %d %s", a.status, a.body)
		}
	})
	t.Run("A5 chosen account", func(t *testing.T) {
		b := two(t)
		a := b.exchange(codeOf(t, b.post(authorize(), values("decision", "allow", "account", "dbid:bob"))))
		if got := str(a.json(t), "account_id"); got != "dbid:bob" {
			t.Errorf("account_id = %q, want that of the account chosen", got)
		}
		if a := b.post(authorize(), values("decision", "allow", "account", "dbid:eve")); a.status != 400 {
			t.Errorf("an unknown account: %d", a.status)
		}
	})
}

// TestRedirects holds rows A6 and A7 with a redirect URI.
func TestRedirects(t *testing.T) {
	for _, test := range []struct {
		name, redirect, state, decision string
		want                            map[string]string // "*" is anything
	}{
		{"A6 allow", redirectURI, "a b&c=ä", "allow", map[string]string{"code": "*", "state": "a b&c=ä"}},
		{"A6 allow without state", redirectURI, "-", "allow", map[string]string{"code": "*"}},
		{"A6 query kept", redirectURI2, "s", "allow", map[string]string{"code": "*", "state": "s", "from": "dropbox"}},
		{"A7 deny", redirectURI, "s", "deny", map[string]string{"error": "access_denied", "error_description": "*", "state": "s"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := two(t)
			a := b.post(authorizeSecretive("redirect_uri", test.redirect, "state", test.state), values("decision", test.decision))
			location := a.header.Get("Location")
			if a.status != 302 || !strings.HasPrefix(location, test.redirect) {
				t.Fatalf("answer %d to %q", a.status, location)
			}
			u, err := url.Parse(location)
			if err != nil {
				t.Fatal(err)
			}
			got := u.Query()
			for name, want := range test.want {
				if v := got.Get(name); v != want && (want != "*" || v == "") {
					t.Errorf("%s = %q, want %q", name, v, want)
				}
			}
			if len(got) != len(test.want) {
				t.Errorf("parameters %v, want %v", got, test.want)
			}
		})
	}
	t.Run("implicit", func(t *testing.T) {
		b := two(t)
		path := authorizeSecretive("redirect_uri", redirectURI, "state", "s", "response_type", "token", "token_access_type", "-")
		_, fragment, _ := strings.Cut(b.post(path, values("decision", "allow")).header.Get("Location"), "#")
		got, err := url.ParseQuery(fragment)
		if err != nil || got.Get("state") != "s" || got.Get("code") != "" {
			t.Fatalf("fragment %q (%v)", fragment, err)
		}
		if a := b.api(got.Get("access_token"), "check/user", `{"query":"x"}`); a.status != 200 {
			t.Errorf("the token: %d %s", a.status, a.body)
		}
	})
}

func TestDenyWithoutRedirect(t *testing.T) {
	b := start(t)
	a := b.post(authorize(), values("decision", "deny"))
	if a.status != 200 || !strings.Contains(a.body, "Access denied") || strings.Contains(a.body, "auth-code") {
		t.Errorf("A7: %d\n%s", a.status, a.body)
	}
	if a := b.post(authorize(), values("decision", "maybe")); a.status != 400 {
		t.Errorf("no decision: %d", a.status)
	}
}

// TestApprovedBefore holds the second half of row A4.
func TestApprovedBefore(t *testing.T) {
	b := two(t)
	path := authorizeSecretive("redirect_uri", redirectURI, "scope", "sharing.read files.content.read")
	code := b.approve(path)
	if a := b.get(path); a.status != 200 {
		t.Fatalf("a code alone counts as an approval: %d", a.status)
	}
	b.token("grant_type", "authorization_code", "code", code, "client_id", confidentialApp().ClientID,
		"client_secret", appSecret, "redirect_uri", redirectURI)
	for name, test := range map[string]struct {
		path string
		want int
	}{
		"the same":        {path, 302},
		"fewer scopes":    {authorizeSecretive("redirect_uri", redirectURI, "scope", "sharing.read"), 302},
		"more scopes":     {authorizeSecretive("redirect_uri", redirectURI), 200},
		"force_reapprove": {path + "&force_reapprove=true", 200},
		"no redirect":     {authorizeSecretive("scope", "sharing.read"), 200},
	} {
		if a := b.get(test.path); a.status != test.want {
			t.Errorf("A4 %s: %d, want %d", name, a.status, test.want)
		}
	}
	b.SignIn("dbid:bob")
	if a := b.get(path); a.status != 200 {
		t.Errorf("A4 another user: %d, want 200", a.status)
	}
}

func TestIncludeGrantedScopes(t *testing.T) {
	b := start(t)
	b.link("scope", "sharing.read")
	got := b.link("scope", "files.content.read", "include_granted_scopes", "user")
	if str(got, "scope") != "files.content.read sharing.read" {
		t.Errorf("scope = %q, want both", str(got, "scope"))
	}
}

func TestOtherSitesCannotConsent(t *testing.T) {
	b := start(t)
	for name, set := range map[string]map[string]string{
		"fetch metadata": {"Sec-Fetch-Site": "cross-site"},
		"origin":         {"Origin": "https://evil.example"},
	} {
		r := b.request("POST", authorize(), strings.NewReader("decision=allow"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for k, v := range set {
			r.Header.Set(k, v)
		}
		if a := b.do(r); a.status != 403 || strings.Contains(a.body, "auth-code") {
			t.Errorf("%s: %d", name, a.status)
		}
	}
}

func TestHostNames(t *testing.T) {
	b := start(t)
	for host, want := range map[string]int{
		"127.0.0.1:8080": 200, "localhost": 200, "LOCALHOST:1": 200, "[::1]:80": 200, "127.1.2.3": 200,
		"www.dropbox.com": 200, "api.dropboxapi.com": 200,
		"evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example:80": 421, "10.0.0.1": 421, "[::2]": 421,
	} {
		for _, path := range []string{authorize(), "/_emulator/requests"} {
			r := b.request("GET", path, nil)
			r.Host = host
			if a := b.do(r); a.status != want {
				t.Errorf("Host %s %.20s: %d, want %d", host, path, a.status, want)
			}
		}
	}
}

func TestOtherPages(t *testing.T) {
	b := two(t)
	if a := b.get("/"); a.status != 200 || !strings.Contains(a.body, "Maestral") {
		t.Errorf("/: %d", a.status)
	}
	if a := b.get("/home"); a.status != 404 {
		t.Errorf("/home: %d", a.status)
	}
	for _, method := range []string{"HEAD", "PUT", "DELETE", "OPTIONS"} {
		if a := b.do(b.request(method, authorize(), nil)); a.status != 405 {
			t.Errorf("%s authorize: %d, want 405", method, a.status)
		}
	}
	if _, err := b.Approve(b.URL + "/home"); err == nil {
		t.Error("Approve took a page that is not the authorize page")
	}
	if _, err := b.Approve("http://[bad"); err == nil {
		t.Error("Approve took what is not a URL")
	}
}

func ExampleServer_Approve() {
	server := dropboxtest.NewServer()
	defer server.Close()
	code, err := server.Approve(server.URL + "/oauth2/authorize?client_id=" + dropboxtest.DefaultClientID +
		"&response_type=code&token_access_type=offline")
	fmt.Println(len(code), err)
	// Output: 43 <nil>
}
