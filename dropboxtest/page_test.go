package dropboxtest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/chromium"
)

// TestPagesInABrowser goes through the pages with Chromium, as a person does.
func TestPagesInABrowser(t *testing.T) {
	page := chromium.Start(t)
	// The app at the other end of a redirect.
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html><link rel=icon href=data:,><p>back</p>"))
	}))
	t.Cleanup(app.Close)
	local := dropboxtest.DefaultApp()
	local.ClientID, local.Name = "redirected00id", "<b>Long & winding name of an app that somebody made up</b>"
	local.RedirectURIs = []string{app.URL + "/callback"}
	server := dropboxtest.NewServer(dropboxtest.WithApp(dropboxtest.DefaultApp()), dropboxtest.WithApp(local))
	t.Cleanup(server.Close)
	// The page's own answer is compared with the bench's way to the token.
	b := &bench{Server: server, t: t, client: http.DefaultClient}
	redirected := authorize("client_id", local.ClientID, "redirect_uri", app.URL+"/callback", "state", "s&t")

	// step is a subtest, in which the helpers fail.
	step := func(name string, f func(*testing.T)) {
		t.Run(name, func(inner *testing.T) {
			page.T, b.t = inner, inner
			defer func() { page.T, b.t = t, t }()
			f(inner)
		})
	}
	step("allow", func(t *testing.T) {
		page.Open(server.URL + authorize())
		page.Seemly("consent")
		if got := page.Text("h1"); got != "Maestral asks for access to this Dropbox" {
			t.Errorf("heading %q", got)
		}
		if got := page.Text("#account"); !strings.Contains(got, "Ada Lovelace") || !strings.Contains(got, "ada@example.org") {
			t.Errorf("account %q", got)
		}
		if got := page.Text("#scopes"); !strings.Contains(got, "Read your files") || !strings.Contains(got, "sharing.write") {
			t.Errorf("scopes %q", got)
		}
		page.Loaded(func() { page.Click("#allow") })
		page.Seemly("code")
		code := page.Text("code#auth-code")
		if got := page.Text("main"); !strings.Contains(got, "Enter this code into Maestral to finish the process") {
			t.Errorf("page %q", got)
		}
		// One click selects the code and nothing else.
		page.Click("#auth-code")
		var selected string
		page.Eval("getSelection().toString()", &selected)
		if selected != code {
			t.Errorf("a click selects %d characters, the code has %d", len(selected), len(code))
		}
		if a := b.exchange(code); a.status != 200 {
			t.Errorf("the code of the page: %d %s", a.status, a.body)
		}
	})
	step("deny", func(t *testing.T) {
		page.Open(server.URL + authorize())
		page.Loaded(func() { page.Click("#deny") })
		page.Seemly("denied")
		if got := page.Text("#denied"); got != "Access denied" {
			t.Errorf("heading %q", got)
		}
	})
	step("bad request", func(t *testing.T) {
		page.Open(server.URL + authorize("client_id", `<img src="http://evil.example/x">`+strings.Repeat("x", 100)))
		page.Seemly("error")
		if got := page.Text("#problem"); !strings.Contains(got, `Invalid client_id: "<img src="http://evil.example/x">xxx`) {
			t.Errorf("problem %q", got)
		}
		page.Complaints = nil // the console tells of the status 400
	})
	step("redirect", func(t *testing.T) {
		for decision, want := range map[string]string{"allow": "code", "deny": "error"} {
			page.Open(server.URL + redirected)
			if decision == "deny" {
				page.Seemly("consent-long")
			}
			page.Loaded(func() { page.Click("#" + decision) })
			var href string
			page.Eval("location.href", &href)
			u, err := url.Parse(href)
			if err != nil || !strings.HasPrefix(href, app.URL+"/callback?") || u.Query().Get(want) == "" || u.Query().Get("state") != "s&t" {
				t.Errorf("%s leads to %.60s (%v)", decision, href, err)
			}
		}
	})
	step("choice", func(t *testing.T) {
		bob := server.SetUser(dropboxtest.User{GivenName: "Bob", Surname: "Babbage", Email: "bob@example.org"})
		server.SignIn(dropboxtest.DefaultUser().AccountID)
		page.Open(server.URL + authorize("scope", "account_info.read"))
		page.Click(`input[value="` + bob.AccountID + `"]`)
		page.Seemly("choice")
		page.Loaded(func() { page.Click("#allow") })
		if a := b.exchange(page.Text("#auth-code")); str(a.json(t), "account_id") != bob.AccountID {
			t.Errorf("linked %s", str(a.json(t), "account_id"))
		}
	})
	step("index", func(t *testing.T) {
		page.Open(server.URL + "/")
		page.Seemly("index")
	})
	for _, address := range page.Asked {
		if !strings.HasPrefix(address, server.URL+"/") && !strings.HasPrefix(address, app.URL+"/") && !strings.HasPrefix(address, "data:") {
			t.Errorf("the pages asked for %.60s", address)
		}
	}
	if len(page.Asked) == 0 || len(page.Complaints) > 0 {
		t.Errorf("%d requests, the console says %q", len(page.Asked), page.Complaints)
	}
}
