package provider_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

func TestDropboxAuthCodeURL(t *testing.T) {
	c := newClient(t, provider.Dropbox())
	got := c.AuthCodeURL(provider.AuthRequest{Challenge: provider.Challenge(verifier)})
	want := "https://www.dropbox.com/oauth2/authorize?client_id=2jmbq42w7vof78h" +
		"&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256" +
		"&response_type=code&token_access_type=offline"
	if got != want {
		t.Errorf("AuthCodeURL = %s\nwant          %s", got, want)
	}
}

func TestAuthCodeURLWithEverything(t *testing.T) {
	p := provider.Dropbox()
	p.AuthURL += "?tenant=one"
	c := newClient(t, p)
	got, err := url.Parse(c.AuthCodeURL(provider.AuthRequest{
		Challenge:   "challenge",
		State:       "a state&b",
		RedirectURI: "http://127.0.0.1:53682/x?y=z",
		Scope:       []string{"files.content.read", "account_info.read"},
		Params: url.Values{
			"force_reapprove": {"true"}, "token_access_type": {"online"},
			// What the flow depends on is not for the caller to change.
			"client_id": {"other"}, "response_type": {"token"}, "code_challenge_method": {"plain"},
		},
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"tenant": {"one"}, "client_id": {appKey}, "response_type": {"code"}, "token_access_type": {"online"},
		"code_challenge": {"challenge"}, "code_challenge_method": {"S256"}, "state": {"a state&b"},
		"redirect_uri": {"http://127.0.0.1:53682/x?y=z"}, "scope": {"files.content.read account_info.read"},
		"force_reapprove": {"true"},
	}
	if got.Query().Encode() != want.Encode() {
		t.Errorf("query = %v\nwant    %v", got.Query(), want)
	}
}

func TestWhereSecretsMayGo(t *testing.T) {
	for base, good := range map[string]bool{
		"https://dropbox.example":         true,
		"https://dropbox.example/below/":  true,
		"http://127.0.0.1:1234":           true,
		"http://127.8.9.10:1234/":         true,
		"http://[::1]:1234":               true,
		"http://localhost:1234":           true,
		"http://LOCALHOST":                true,
		"http://[::ffff:127.0.0.1]:1":     true,
		"":                                false,
		"127.0.0.1:1234":                  false,
		"http://dropbox.example":          false,
		"http://10.0.0.1":                 false,
		"http://localhost.example":        false,
		"http://127.0.0.1.example":        false,
		"http://0.0.0.0:1":                false,
		"http://2130706433":               false,
		"ftp://127.0.0.1":                 false,
		"unix:///run/x":                   false,
		"https://user:pw@dropbox.example": false,
		"https://dropbox.example/#x":      false,
		"https://dropbox.example#":        false,
		"https://dropbox.example/?x=1":    false,
		"https://dropbox.example/?":       false,
		"https://:443":                    false,
		"https://":                        false,
		"https://a b":                     false,
	} {
		p, err := provider.DropboxAt(base)
		if good != (err == nil) {
			t.Errorf("DropboxAt(%q) = %v, want good: %v", base, err, good)
		}
		if err == nil {
			if _, err := provider.NewClient(p, appKey); err != nil {
				t.Errorf("NewClient at %q: %v", base, err)
			}
			if strings.Contains(p.TokenURL[len("https://"):], "//") {
				t.Errorf("TokenURL = %s", p.TokenURL)
			}
		}
	}
	if _, err := provider.DropboxAt("https://user:hunter2hunter2@dropbox.example"); strings.Contains(err.Error(), "hunter") {
		t.Errorf("the error shows a password: %v", err)
	}
}

func TestServes(t *testing.T) {
	emulated, err := provider.DropboxAt("http://127.0.0.1:1234/below")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		p       *provider.Provider
		address string
		want    bool
	}{
		{provider.Dropbox(), "https://api.dropboxapi.com/2/files/list_folder", true},
		{provider.Dropbox(), "https://CONTENT.dropboxapi.com:443/2/files/download", true},
		{provider.Dropbox(), "https://notify.dropboxapi.com/", true},
		{provider.Dropbox(), "http://api.dropboxapi.com/", false},
		{provider.Dropbox(), "https://api.dropboxapi.com:8443/", false},
		{provider.Dropbox(), "https://api.dropboxapi.com.example/", false},
		{provider.Dropbox(), "https://example/api.dropboxapi.com", false},
		{provider.Dropbox(), "https://api.dropboxapi.com@example/", false},
		{provider.Dropbox(), "https://www.dropbox.com/", false},
		{provider.Dropbox(), "/2/files", false},
		{emulated, "http://127.0.0.1:1234/2/check/user", true},
		{&provider.Provider{Hosts: []string{"api.example:443"}}, "https://api.example/", true},
		{&provider.Provider{Hosts: []string{"api.example:443"}}, "https://api.example:444/", false},
		{emulated, "http://127.0.0.1:1235/2/check/user", false},
		{emulated, "http://localhost:1234/", false},
		{emulated, "https://api.dropboxapi.com/", false},
		{&provider.Provider{}, "https:///x", false},
	} {
		u, err := url.Parse(test.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := test.p.Serves(u); got != test.want {
			t.Errorf("Serves(%s) = %v", test.address, got)
		}
	}
}

func TestNewClientRefuses(t *testing.T) {
	for name, change := range map[string]func(*provider.Provider){
		"no name":          func(p *provider.Provider) { p.Name = "" },
		"plain token URL":  func(p *provider.Provider) { p.TokenURL = "http://api.dropboxapi.com/oauth2/token" },
		"plain auth URL":   func(p *provider.Provider) { p.AuthURL = "http://www.dropbox.com/oauth2/authorize" },
		"no token URL":     func(p *provider.Provider) { p.TokenURL = "" },
		"refusal revokes":  func(p *provider.Provider) { p.Refusals = []provider.Refusal{{Code: "x", Kind: provider.ErrRevoked}} },
		"refusal no kind":  func(p *provider.Provider) { p.Refusals = []provider.Refusal{{Code: "x"}} },
		"fragment in auth": func(p *provider.Provider) { p.AuthURL += "#x" },
	} {
		p := provider.Dropbox()
		change(p)
		if _, err := provider.NewClient(p, appKey); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, key := range []string{"", "with space", "with\nline", "ümlaut", strings.Repeat("x", 257)} {
		if _, err := provider.NewClient(provider.Dropbox(), key); err == nil {
			t.Errorf("app key %q: accepted", key)
		}
	}
	if _, err := provider.NewClient(nil, appKey); err == nil {
		t.Error("no provider: accepted")
	}
}

func TestChallenge(t *testing.T) {
	// RFC 7636 appendix B, and the tests of Dropbox's JavaScript SDK.
	for verifier, want := range map[string]string{
		"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
		"NTUsMjIsMzYsMTY4LDIyLDEzNywyNDMsOTYsMTIxLDIxNSwxNDAsMTYwLDMwLDE1LDIzMSw1NiwzMCwyMTIsMTQyLDIyMywxMzMsMTIsMjI1LDIzOCwxMDcsMjQ1LDM0": "fKco8CJrMUeyji-FJ83wxnx2bqK6BOqzefPamApt3Nc",
	} {
		if got := provider.Challenge(secret.New(verifier)); got != want {
			t.Errorf("Challenge(%s) = %s, want %s", verifier, got, want)
		}
	}
}

func TestNewVerifier(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		v := provider.NewVerifier().Reveal()
		if len(v) < 43 || len(v) > 128 || seen[v] {
			t.Fatalf("NewVerifier = %q, seen before: %v", v, seen[v])
		}
		if strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") != "" {
			t.Fatalf("NewVerifier = %q holds characters that RFC 7636 section 4.1 does not allow", v)
		}
		seen[v] = true
	}
}
