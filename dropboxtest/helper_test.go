package dropboxtest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
)

const (
	verifier     = "the-verifier-of-the-tests-0123456789.ABCDEF~xyz"
	appSecret    = "5k1o0r2q3s4t5u6"
	redirectURI  = "http://127.0.0.1:53682/callback"
	redirectURI2 = "https://app.example/done?from=dropbox"
)

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// confidentialApp has a secret, redirect URIs and long-lived tokens.
func confidentialApp() dropboxtest.App {
	app := dropboxtest.DefaultApp()
	app.ClientID, app.Name = "confidential0id", "Secretive"
	app.Secret = appSecret
	app.RedirectURIs = []string{redirectURI, redirectURI2}
	app.AllowLegacy = true
	return app
}

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a server with a client that follows no redirects.
type bench struct {
	*dropboxtest.Server
	t      *testing.T
	client *http.Client
}

func start(t *testing.T, opts ...dropboxtest.Option) *bench {
	t.Helper()
	server := dropboxtest.NewServer(opts...)
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &bench{Server: server, t: t, client: &http.Client{
		Transport:     transport,
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// two is a server with the default app, the confidential one and two users.
func two(t *testing.T, opts ...dropboxtest.Option) *bench {
	t.Helper()
	return start(t, append([]dropboxtest.Option{
		dropboxtest.WithApp(dropboxtest.DefaultApp()),
		dropboxtest.WithApp(confidentialApp()),
		dropboxtest.WithUser(dropboxtest.DefaultUser()),
		dropboxtest.WithUser(dropboxtest.User{AccountID: "dbid:bob", GivenName: "Bob", Surname: "Babbage"}),
	}, opts...)...)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Fatalf("Content-Type = %q, want application/json exactly; body %.300q", got, a.body)
	}
	var out map[string]any
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatalf("body %.300q: %v", a.body, err)
	}
	return out
}

func (b *bench) do(r *http.Request) answer {
	b.t.Helper()
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if id := resp.Header.Get("X-Dropbox-Request-Id"); len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		b.t.Errorf("%s %s: X-Dropbox-Request-Id = %q, want 32 hexadecimal digits", r.Method, r.URL.Path, id)
	}
	text := string(body)
	if before, rest, found := strings.Cut(text, "<style>"); found { // noise in failures
		_, after, _ := strings.Cut(rest, "</style>")
		text = before + after
	}
	return answer{resp.StatusCode, resp.Header, text}
}

func (b *bench) request(method, path string, body io.Reader) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.URL+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) get(path string) answer {
	b.t.Helper()
	return b.do(b.request("GET", path, nil))
}

func (b *bench) post(path string, form url.Values) answer {
	b.t.Helper()
	r := b.request("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// token asks the token endpoint; pairs are names and values.
func (b *bench) token(pairs ...string) answer {
	b.t.Helper()
	return b.post("/oauth2/token", values(pairs...))
}

// api calls a function with a token and a JSON body.
func (b *bench) api(token, route, body string) answer {
	b.t.Helper()
	r := b.request("POST", "/2/"+route, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	return b.do(r)
}

// tag returns the tag of an API error and checks its summary.
func (b *bench) tag(a answer) string {
	b.t.Helper()
	out := a.json(b.t)
	detail, _ := out["error"].(map[string]any)
	tag, _ := detail[".tag"].(string)
	summary, _ := out["error_summary"].(string)
	if dots, ok := strings.CutPrefix(summary, tag+"/"); tag == "" || !ok || len(dots) > 3 || strings.Trim(dots, ".") != "" {
		b.t.Errorf("error_summary = %q for the tag %q", summary, tag)
	}
	return tag
}

func values(pairs ...string) url.Values {
	out := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		out.Add(pairs[i], pairs[i+1])
	}
	return out
}

// authorize returns the path of the authorize page for the default app by PKCE,
// with pairs added, or taken away where a value is "-".
func authorize(pairs ...string) string {
	q := values("client_id", dropboxtest.DefaultClientID, "response_type", "code",
		"token_access_type", "offline", "code_challenge", challenge(), "code_challenge_method", "S256")
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "-" {
			q.Del(pairs[i])
			continue
		}
		q.Set(pairs[i], pairs[i+1])
	}
	return "/oauth2/authorize?" + q.Encode()
}

// authorizeSecretive is authorize for the confidential app without PKCE.
func authorizeSecretive(pairs ...string) string {
	return authorize(append([]string{"client_id", confidentialApp().ClientID,
		"code_challenge", "-", "code_challenge_method", "-"}, pairs...)...)
}

func (b *bench) approve(path string) string {
	b.t.Helper()
	code, err := b.Approve(b.URL + path)
	if err != nil {
		b.t.Fatal(err)
	}
	return code
}

// exchange redeems a code of the default app.
func (b *bench) exchange(code string) answer {
	b.t.Helper()
	return b.token("grant_type", "authorization_code", "code", code,
		"client_id", dropboxtest.DefaultClientID, "code_verifier", verifier)
}

// renew redeems a refresh token of the default app.
func (b *bench) renew(refresh string, pairs ...string) answer {
	b.t.Helper()
	return b.token(append([]string{"grant_type", "refresh_token", "refresh_token", refresh,
		"client_id", dropboxtest.DefaultClientID}, pairs...)...)
}

// link goes through the whole flow and returns the token answer.
func (b *bench) link(pairs ...string) map[string]any {
	b.t.Helper()
	a := b.exchange(b.approve(authorize(pairs...)))
	if a.status != 200 {
		b.t.Fatalf("exchange: %d %s", a.status, a.body)
	}
	return a.json(b.t)
}

func str(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}
