package provider_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/oauthtest"
	"github.com/authring/authring/provider"
)

func pushing(base string) *provider.Provider {
	p := plain(base)
	p.PARURL = base + "/par"
	return p
}

// TestPush: what is sent where, with the client's authentication, and nothing
// of it through the browser.
func TestPush(t *testing.T) {
	for _, auth := range []provider.ClientAuth{provider.AuthNone, provider.AuthBasic, provider.AuthPost} {
		server := serve(t, answerJSON(201, `{"request_uri":"urn:example:bwc4JK-ESC0w8acc191e-Y1LTC2","expires_in":90}`))
		p := pushing(server.URL)
		p.AuthURL += "?tenant=a"
		p.AuthParams = url.Values{"prompt": {"consent"}}
		p.ClientAuth = auth
		c, err := provider.NewClient(p, "an-id", quick, withSecret("pass"))
		if err != nil {
			t.Fatal(err)
		}
		pushed, err := c.PushAuthRequest(bounded(t), provider.AuthRequest{
			Challenge: provider.Challenge(verifier), State: "a state", RedirectURI: "http://127.0.0.1/", Scope: []string{"a", "b"},
			Params: url.Values{"request_uri": {"urn:x"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		page, err := url.Parse(pushed.URL)
		if err != nil || page.Path != "/authorize" {
			t.Fatal(pushed.URL, err)
		}
		want := url.Values{"tenant": {"a"}, "client_id": {"an-id"}, "request_uri": {"urn:example:bwc4JK-ESC0w8acc191e-Y1LTC2"}}
		if page.Query().Encode() != want.Encode() {
			t.Errorf("the page is %s", pushed.URL)
		}
		if life := time.Until(pushed.Expires); life > 90*time.Second || life < time.Minute {
			t.Errorf("it is good for %v", life)
		}
		r := <-server.seen
		form, err := url.ParseQuery(r.body)
		if err != nil || r.method != http.MethodPost || r.path != "/par" || strings.HasPrefix(r.auth, "Basic ") != (auth == provider.AuthBasic) {
			t.Errorf("request = %+v, %v", r, err)
		}
		for name, value := range map[string]string{
			"client_id": "an-id", "response_type": "code", "state": "a state", "scope": "a b", "redirect_uri": "http://127.0.0.1/",
			"code_challenge_method": "S256", "code_challenge": provider.Challenge(verifier), "prompt": "consent", "request_uri": "",
		} {
			if form.Get(name) != value {
				t.Errorf("%s is %q, want %q", name, form.Get(name), value)
			}
		}
		if auth == provider.AuthPost && form.Get("client_secret") != "pass" {
			t.Error("the client secret is missing")
		}
	}
	if _, err := newClient(t, plain("https://as.example")).PushAuthRequest(bounded(t), provider.AuthRequest{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without an endpoint: %v", err)
	}
}

// TestPushRefused: what servers answer, and what networks do.
func TestPushRefused(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		want   error
	}{
		{400, `{"error":"invalid_request","error_description":"no"}`, provider.ErrRequestRefused},
		{400, `{"error":"invalid_dpop_proof"}`, provider.ErrRequestRefused},
		{400, `{"error":"temporarily_unavailable"}`, provider.ErrServerFault},
		{400, `{"error":"invalid_scope"}`, provider.ErrMissingScope},
		{400, `{"error":"unauthorized_client"}`, provider.ErrInvalidClient},
		{401, `{"error":"invalid_client"}`, provider.ErrInvalidClient},
		{404, ``, provider.ErrServerFault},
		{503, ``, provider.ErrServerFault},
		{302, ``, provider.ErrUnexpectedAnswer},
		{201, `{}`, provider.ErrUnexpectedAnswer},
		{201, `{"request_uri":"a b"}`, provider.ErrUnexpectedAnswer},
		{201, `{"request_uri":7}`, provider.ErrUnexpectedAnswer},
		{201, `[]`, provider.ErrUnexpectedAnswer},
		{204, ``, provider.ErrUnexpectedAnswer},
	} {
		server := serve(t, answerJSON(test.status, test.body))
		_, err := newClient(t, pushing(server.URL), quick).PushAuthRequest(bounded(t), provider.AuthRequest{})
		if e := fault(t, err, test.want); e.Op != "send the authorization request" {
			t.Errorf("%d %s: %v", test.status, test.body, e)
		}
	}
	// A request that was lost is sent again.
	server := serve(t, answerJSON(503, ``), answerJSON(200, `{"request_uri":"urn:x"}`))
	pushed, err := newClient(t, pushing(server.URL), quick).PushAuthRequest(bounded(t), provider.AuthRequest{})
	if err != nil || len(server.seen) != 2 {
		t.Fatalf("%v after %d requests", err, len(server.seen))
	}
	if life := time.Until(pushed.Expires); life > time.Minute || life < 0 {
		t.Errorf("an unsaid lifetime is taken for %v", life)
	}
}

// TestPushWhole is the whole of it, with a server that takes no other requests.
func TestPushWhole(t *testing.T) {
	server := oauthtest.NewServer(oauthtest.Options{ClientSecret: "pass", RequirePAR: true})
	t.Cleanup(server.Close)
	found, err := provider.Discover(bounded(t), server.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	p := &provider.Provider{Name: "pushed", Title: "Pushed", ClientAuth: provider.AuthBasic}
	found.Describe(p)
	c, err := provider.NewClient(p, "client", withSecret("pass"))
	if err != nil {
		t.Fatal(err)
	}
	v := provider.NewVerifier()
	req := provider.AuthRequest{Challenge: provider.Challenge(v), RedirectURI: "http://127.0.0.1/", State: "s"}
	if _, err := server.Approve(c.AuthCodeURL(req)); err == nil {
		t.Error("the server took a request that was not pushed")
	}
	pushed, err := c.PushAuthRequest(bounded(t), req)
	if err != nil {
		t.Fatal(err)
	}
	end, err := server.Approve(pushed.URL)
	if err != nil || !strings.Contains(end, "state=s") {
		t.Fatal(end, err)
	}
	code, err := provider.ParseCode(end)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exchange(bounded(t), code, v, "http://127.0.0.1/"); err != nil {
		t.Error(err)
	}
}

func FuzzPushed(f *testing.F) {
	for _, body := range []string{`{"request_uri":"urn:x","expires_in":60}`, `{"request_uri":"urn:x","expires_in":"1e999"}`, `{"error":"invalid_request"}`, `{"request_uri":"a\u0000b"}`, `[`, ``} {
		f.Add(201, body)
		f.Add(400, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		c := newClient(t, pushing("https://as.example"), quick, provider.WithHTTPTransport(canned(status, nil, body)))
		pushed, err := c.PushAuthRequest(bounded(t), provider.AuthRequest{})
		if err != nil {
			noSecret(t, err.Error(), verifier)
			return
		}
		page, err := url.Parse(pushed.URL)
		var answer struct {
			RequestURI string `json:"request_uri"`
		}
		if err != nil || page.Host != "as.example" || len(page.Query()) != 2 || json.Unmarshal([]byte(body), &answer) != nil {
			t.Errorf("%s from %q", pushed.URL, body)
		}
		if life := time.Until(pushed.Expires); life > time.Hour || life < -time.Minute {
			t.Errorf("good for %v", life)
		}
	})
}
