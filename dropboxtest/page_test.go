package dropboxtest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/authring/authring/dropboxtest"
)

// TestPagesInABrowser goes through the pages with Chromium, as a person does.
func TestPagesInABrowser(t *testing.T) {
	chromium := startBrowser(t)
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
			chromium.t, b.t = inner, inner
			defer func() { chromium.t, b.t = t, t }()
			f(inner)
		})
	}
	// seemly checks what holds for every page.
	seemly := func(t *testing.T, name string) {
		t.Helper()
		for _, dress := range []struct {
			width, height int
			scheme        string
		}{{1280, 900, "light"}, {1280, 900, "dark"}, {390, 844, "light"}, {390, 844, "dark"}, {300, 600, "light"}} {
			chromium.dress(dress.width, dress.height, dress.scheme)
			var got struct {
				Scroll, Client int
				Outside        []string
				Ground, Ink    string
				Contrast       float64
			}
			chromium.eval(pageFacts, &got)
			if got.Scroll > got.Client || len(got.Outside) > 0 {
				t.Errorf("%s at %d px: %d px wide, outside of it: %v", name, dress.width, got.Scroll, got.Outside)
			}
			if got.Contrast < 4.5 { // WCAG 2.2, success criterion 1.4.3
				t.Errorf("%s %s: text %s on %s has a contrast of %.1f only", name, dress.scheme, got.Ink, got.Ground, got.Contrast)
			}
			chromium.screenshot(fmt.Sprintf("%s-%s-%d", name, dress.scheme, dress.width))
		}
		chromium.dress(1280, 900, "light")
	}

	step("allow", func(t *testing.T) {
		chromium.open(server.URL + authorize())
		seemly(t, "consent")
		if got := chromium.text("h1"); got != "Maestral asks for access to this Dropbox" {
			t.Errorf("heading %q", got)
		}
		if got := chromium.text("#account"); !strings.Contains(got, "Ada Lovelace") || !strings.Contains(got, "ada@example.org") {
			t.Errorf("account %q", got)
		}
		if got := chromium.text("#scopes"); !strings.Contains(got, "Read your files") || !strings.Contains(got, "sharing.write") {
			t.Errorf("scopes %q", got)
		}
		chromium.loaded(func() { chromium.click("#allow") })
		seemly(t, "code")
		code := chromium.text("code#auth-code")
		if got := chromium.text("main"); !strings.Contains(got, "Enter this code into Maestral to finish the process") {
			t.Errorf("page %q", got)
		}
		// One click selects the code and nothing else.
		chromium.click("#auth-code")
		var selected string
		chromium.eval("getSelection().toString()", &selected)
		if selected != code {
			t.Errorf("a click selects %d characters, the code has %d", len(selected), len(code))
		}
		if a := b.exchange(code); a.status != 200 {
			t.Errorf("the code of the page: %d %s", a.status, a.body)
		}
	})
	step("deny", func(t *testing.T) {
		chromium.open(server.URL + authorize())
		chromium.loaded(func() { chromium.click("#deny") })
		seemly(t, "denied")
		if got := chromium.text("#denied"); got != "Access denied" {
			t.Errorf("heading %q", got)
		}
	})
	step("bad request", func(t *testing.T) {
		chromium.open(server.URL + authorize("client_id", `<img src="http://evil.example/x">`+strings.Repeat("x", 100)))
		seemly(t, "error")
		if got := chromium.text("#problem"); !strings.Contains(got, `Invalid client_id: "<img src="http://evil.example/x">xxx`) {
			t.Errorf("problem %q", got)
		}
		chromium.complaints = nil // the console tells of the status 400
	})
	step("redirect", func(t *testing.T) {
		for decision, want := range map[string]string{"allow": "code", "deny": "error"} {
			chromium.open(server.URL + redirected)
			if decision == "deny" {
				seemly(t, "consent-long")
			}
			chromium.loaded(func() { chromium.click("#" + decision) })
			var href string
			chromium.eval("location.href", &href)
			u, err := url.Parse(href)
			if err != nil || !strings.HasPrefix(href, app.URL+"/callback?") || u.Query().Get(want) == "" || u.Query().Get("state") != "s&t" {
				t.Errorf("%s leads to %.60s (%v)", decision, href, err)
			}
		}
	})
	step("choice", func(t *testing.T) {
		bob := server.SetUser(dropboxtest.User{GivenName: "Bob", Surname: "Babbage", Email: "bob@example.org"})
		server.SignIn(dropboxtest.DefaultUser().AccountID)
		chromium.open(server.URL + authorize("scope", "account_info.read"))
		chromium.click(`input[value="` + bob.AccountID + `"]`)
		seemly(t, "choice")
		chromium.loaded(func() { chromium.click("#allow") })
		if a := b.exchange(chromium.text("#auth-code")); str(a.json(t), "account_id") != bob.AccountID {
			t.Errorf("linked %s", str(a.json(t), "account_id"))
		}
	})
	step("index", func(t *testing.T) {
		chromium.open(server.URL + "/")
		seemly(t, "index")
	})
	for _, address := range chromium.asked {
		if !strings.HasPrefix(address, server.URL+"/") && !strings.HasPrefix(address, app.URL+"/") && !strings.HasPrefix(address, "data:") {
			t.Errorf("the pages asked for %.60s", address)
		}
	}
	if len(chromium.asked) == 0 || len(chromium.complaints) > 0 {
		t.Errorf("%d requests, the console says %q", len(chromium.asked), chromium.complaints)
	}
}

// pageFacts measures a page: whether it fits its window, and how well its worst
// text stands out from what is behind it.
const pageFacts = `(() => {
	const root = document.documentElement, outside = [];
	const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgba = colour => {
		canvas.clearRect(0, 0, 1, 1);
		canvas.fillStyle = colour;
		canvas.fillRect(0, 0, 1, 1);
		return [...canvas.getImageData(0, 0, 1, 1).data];
	};
	const over = (top, below) => top.slice(0, 3).map((c, i) => c*top[3]/255 + below[i]*(1 - top[3]/255));
	const light = c => c.slice(0, 3).map(v => v/255).map(v => v <= .04045 ? v/12.92 : ((v + .055)/1.055)**2.4)
		.reduce((sum, v, i) => sum + v*[.2126, .7152, .0722][i], 0);
	const ground = element => {
		const layers = [];
		for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
		return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
	};
	let worst = {contrast: 99, ground: "", ink: ""};
	for (const e of document.body.querySelectorAll("*")) {
		const box = e.getBoundingClientRect();
		if (box.left < -0.5 || box.right > root.clientWidth + 0.5) outside.push(e.tagName + "." + e.className);
		const style = getComputedStyle(e);
		if (style.backgroundImage !== "none" || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const below = ground(e), ink = over(rgba(style.color), below);
		const [a, b] = [light(ink), light(below)];
		const contrast = (Math.max(a, b) + .05)/(Math.min(a, b) + .05);
		if (contrast < worst.contrast) worst = {contrast, ground: below.map(Math.round).join(" "), ink: ink.map(Math.round).join(" ") + " in " + e.tagName};
	}
	return {scroll: root.scrollWidth, client: root.clientWidth, outside, ...worst};
})()`
