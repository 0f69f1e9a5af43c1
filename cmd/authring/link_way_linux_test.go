package main

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/chromium"
	"github.com/authring/authring/internal/needs"
)

// ownKey is an app of the person's own, which redirects.
const ownKey = "redirected00id"

// freePort is a port that nobody has.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// redirected is a person whose app has two redirect URIs, the first of which is
// taken by somebody else.
func redirected(t *testing.T, opts ...dropboxtest.Option) (p *person, uri string, flags []string) {
	t.Helper()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
	uri = "http://127.0.0.1:" + freePort(t) + "/callback"
	app := dropboxtest.DefaultApp()
	app.ClientID, app.Name, app.RedirectURIs = ownKey, "My own app", []string{"http://" + busy.Addr().String() + "/callback", uri}
	p = newPerson(t)
	p.dropbox.Close()
	p.dropbox = dropboxtest.NewServer(append(opts, dropboxtest.WithApp(app))...)
	t.Cleanup(p.dropbox.Close)
	p.env = append(p.env, "AUTHRING_DROPBOX_URL="+p.dropbox.URL)
	return p, uri, []string{"--allow-plaintext", "--app-key", ownKey, "--redirect-uri", app.RedirectURIs[0], "--redirect-uri", uri}
}

const waitingForBrowser = "Waiting for the browser. Or paste the code, or the address that it ends at: "

// pageOf is the address of the page that was shown last.
func pageOf(t *testing.T, shown string) string {
	t.Helper()
	pages := regexp.MustCompile(`https?://[^\s"]+/(?:oauth2/authorize|auth)\?[^\s"]+`).FindAllString(shown, -1)
	if len(pages) == 0 {
		t.Fatalf("no page in:\n%s", shown)
	}
	return pages[len(pages)-1]
}

// browse opens a page as a browser does, to where it ends.
func browse(t *testing.T, page string) (address, body string) {
	t.Helper()
	client := http.Client{Timeout: bound}
	resp, err := client.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Request.URL.String(), string(text)
}

// landing is where a page sends the browser, which is not gone to.
func landing(t *testing.T, page string) string {
	t.Helper()
	client := http.Client{Timeout: bound, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	u, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	return u.String()
}

func TestLinkByRedirect(t *testing.T) {
	p, uri, flags := redirected(t, dropboxtest.WithAutoApprove())
	term := p.run(nil, append([]string{"link"}, flags...)...)
	before := term.modes()
	page := pageOf(t, term.expect(waitingForBrowser))

	// Strangers neither end the wait nor bring anything about.
	for _, query := range []string{"", "?error=access_denied", "?code=x&state=guess", "?error=access_denied&state=guess"} {
		if _, body := browse(t, uri+query); !strings.Contains(body, "Nothing was changed") {
			t.Errorf("%s: the page says\n%s", query, body)
		}
	}
	address, body := browse(t, page)
	if strings.Contains(address, "code=") || !strings.Contains(body, "Dropbox is linked") {
		t.Errorf("the browser ends at %s, which says\n%s", address, body)
	}
	term.expect("Linked to Ada Lovelace <ada@example.org>")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
	if term.modes() != before {
		t.Error("the terminal is not as it was")
	}
	if n := len(p.dropbox.Grants()); n != 1 {
		t.Errorf("%d grants, want 1", n)
	}
	if conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(uri, "http://"), "/callback")); err == nil {
		_ = conn.Close()
		t.Error("it still listens")
	}
}

// What is pasted wins just as well.
func TestPasteBeatsRedirect(t *testing.T) {
	for name, paste := range map[string]func(string) string{
		"address": func(address string) string { return address },
		"code":    func(address string) string { return regexp.MustCompile(`code=([^&]+)`).FindStringSubmatch(address)[1] },
		// As mails and narrow terminals break it, with and without the marks
		// that terminals put around a paste.
		"broken address": func(address string) string { return address[:40] + "\r" + address[40:] },
		"marked paste":   func(address string) string { return "\x1b[200~" + address[:40] + "\n  " + address[40:] + "\n\x1b[201~" },
		"arrow keys":     func(address string) string { return "\x1b[A\x1bOH" + address + "\x1b[3~" },
		"second thought": func(address string) string { return "nonsense\x17abc\x15ü\x7f" + address },
		"escaped":        url.QueryEscape,
	} {
		t.Run(name, func(t *testing.T) {
			p, uri, flags := redirected(t, dropboxtest.WithAutoApprove())
			term := p.run(nil, append([]string{"link"}, flags...)...)
			before := term.modes()
			page := pageOf(t, term.expect(waitingForBrowser))
			term.typeText(uri + "?code=x&state=guess\r")
			term.expect("not the answer to the page that was opened")
			term.expect(waitingForBrowser)
			term.typeText(paste(landing(t, page)) + "\r")
			term.expect("Linked to Ada Lovelace")
			if got := term.end(); got != 0 || term.modes() != before {
				t.Errorf("exit code %d, want 0; the terminal is as it was: %v", got, term.modes() == before)
			}
		})
	}
}

func TestRedirectDenied(t *testing.T) {
	p, uri, flags := redirected(t)
	term := p.run(nil, append([]string{"link"}, flags...)...)
	page := pageOf(t, term.expect(waitingForBrowser))
	state := regexp.MustCompile(`state=([^&]+)`).FindStringSubmatch(page)[1]
	if _, body := browse(t, uri+"?error=access_denied&state="+state); !strings.Contains(body, "Access was not given") {
		t.Errorf("the page says\n%s", body)
	}
	term.expect("access was denied")
	if got := term.end(); got != 1 {
		t.Errorf("exit code %d, want 1", got)
	}
}

// Where nobody waits for the browser, it is told what there is to bring.
func TestPasteWhereThePageRedirects(t *testing.T) {
	p := newPerson(t)
	p.provider(t)
	term := p.run(nil, "link", "--provider", "example", "--allow-plaintext", "--way", "paste")
	shown := term.expect("That address, or the code in it: ")
	if !strings.Contains(shown, "ends at an address that begins with http://127.0.0.1/") {
		t.Errorf("shown:\n%s", shown)
	}
	term.typeText(landing(t, pageOf(t, shown)) + "\r")
	term.expect("Linked to Ada Lovelace")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
}

func TestAllPortsTaken(t *testing.T) {
	p, uri, flags := redirected(t, dropboxtest.WithAutoApprove())
	busy, err := net.Listen("tcp", strings.TrimSuffix(strings.TrimPrefix(uri, "http://"), "/callback"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	term := p.run(nil, append([]string{"link"}, flags...)...)
	shown := term.expect("That address, or the code in it: ")
	if n := strings.Count(shown, "another program has its port"); n != 2 {
		t.Errorf("%d ports are said to be taken, want 2:\n%s", n, shown)
	}
	term.typeText(landing(t, pageOf(t, shown)) + "\r")
	term.expect("Linked to Ada Lovelace")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
}

// What is no answer costs nothing, however often, and the browser still counts.
func TestPastesThatAreNoAnswer(t *testing.T) {
	p, uri, flags := redirected(t, dropboxtest.WithAutoApprove())
	term := p.run(nil, append([]string{"link"}, flags...)...)
	page := pageOf(t, term.expect(waitingForBrowser))
	for _, c := range []struct{ paste, want string }{
		{"", "nothing was entered"},
		{"", "nothing was entered"},
		{page, "it is the address of the page"},
		{ownKey, "it is the client id (app key)"},
		{"sl.u.abcdefghijklmnopqrstuvwxyz", "it is an access token"},
		{uri + "?error=access_denied&state=guess", "not the answer to the page that was opened"},
	} {
		term.typeText(c.paste + "\r")
		term.expect(c.want)
		term.expect(waitingForBrowser)
	}
	if _, body := browse(t, page); !strings.Contains(body, "Dropbox is linked") {
		t.Errorf("the page says\n%s", body)
	}
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
}

// A refusal that is pasted ends the link, as one that the browser brings does.
func TestPastedDenial(t *testing.T) {
	p, uri, flags := redirected(t)
	term := p.run(nil, append([]string{"link"}, flags...)...)
	page := pageOf(t, term.expect(waitingForBrowser))
	term.typeText(uri + "?error=access_denied&state=" + regexp.MustCompile(`state=([^&]+)`).FindStringSubmatch(page)[1] + "\r")
	if shown := term.expect("To try again: authring link"); !strings.Contains(shown, "access was denied") {
		t.Errorf("shown:\n%s", shown)
	}
	term.expect("--redirect-uri " + uri)
	if got := term.end(); got != 1 {
		t.Errorf("exit code %d, want 1", got)
	}
}

// Ctrl-Z gives the terminal to the shell, as it was, and fg brings the prompt
// back, with the page still good.
func TestSuspendedAtThePrompt(t *testing.T) {
	needs.Programs(t, "bash")
	p, _, flags := redirected(t, dropboxtest.WithAutoApprove())
	term := p.runCommand([]string{"PS1=shell> "}, "bash", "--norc", "--noprofile", "--noediting", "-i")
	term.expect("shell> ")
	term.typeText("authring link " + strings.Join(flags, " ") + "\n")
	page := pageOf(t, term.expect(waitingForBrowser))
	term.typeText("\x1a")
	term.expect("Stopped")
	term.expect("shell> ")
	if term.modes().Lflag&unix.ECHO == 0 {
		t.Error("the shell's terminal does not show what is typed")
	}
	term.typeText("fg\n")
	term.expect(waitingForBrowser)
	if term.modes().Lflag&unix.ECHO != 0 {
		t.Error("what is typed is shown after fg")
	}
	if _, body := browse(t, page); !strings.Contains(body, "Dropbox is linked") {
		t.Errorf("the page says\n%s", body)
	}
	term.expect("Linked to Ada Lovelace")
	term.expect("shell> ")
	term.typeText("exit\n")
	term.end()
}

func TestInterruptedRedirect(t *testing.T) {
	for name, interrupt := range map[string]func(*terminal){
		"Ctrl-C":  func(term *terminal) { term.typeText("\x03") },
		"SIGTERM": func(term *terminal) { _ = term.cmd.Process.Signal(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			p, _, flags := redirected(t)
			term := p.run(nil, append([]string{"link"}, flags...)...)
			before := term.modes()
			term.expect(waitingForBrowser)
			interrupt(term)
			if got := term.end(); got != 130 || term.modes() != before {
				t.Errorf("exit code %d, want 130; the terminal is as it was: %v", got, term.modes() == before)
			}
		})
	}
}

// TestRedirectInABrowser links as a person does, with Chromium.
func TestRedirectInABrowser(t *testing.T) {
	page := chromium.Start(t)
	for decision, want := range map[string]string{"allow": "Dropbox is linked", "deny": "Access was not given"} {
		p, uri, flags := redirected(t)
		term := p.run(nil, append([]string{"link"}, flags...)...)
		address := pageOf(t, term.expect(waitingForBrowser))
		page.Open(uri + "?code=x&state=guess")
		if decision == "allow" {
			page.Seemly("callback-stranger")
		}
		page.Complaints = nil // the console tells of the status 400
		page.Open(address)
		page.Loaded(func() { page.Click("#" + decision) })
		var href string
		page.Eval("location.href", &href)
		if href != strings.TrimSuffix(uri, "/callback")+"/authring/done" {
			t.Errorf("%s: the address bar has %s", decision, href)
		}
		var entries string
		page.Eval("JSON.stringify(performance.getEntriesByType('navigation').map(e => e.name)) + document.referrer", &entries)
		if strings.Contains(entries, "code=") {
			t.Errorf("%s: the page knows of %s", decision, entries)
		}
		for _, entry := range page.History() { // the guess was opened as a page
			if strings.HasPrefix(entry, uri) && !strings.Contains(entry, "guess") {
				t.Errorf("%s: the history has %s", decision, entry)
			}
		}
		if got := page.Text("h1"); got != want {
			t.Errorf("%s: the page says %q, want %q", decision, got, want)
		}
		if got := page.Text("main"); !strings.Contains(got, "You can close this page") {
			t.Errorf("%s: %q", decision, got)
		}
		page.Seemly("callback-" + decision)
		code := map[string]int{"allow": 0, "deny": 1}[decision]
		if got := term.end(); got != code {
			t.Errorf("%s: exit code %d, want %d; shown:\n%s", decision, got, code, term.all())
		}
		for _, asked := range page.Asked {
			if !strings.HasPrefix(asked, "http://127.0.0.1:") && !strings.HasPrefix(asked, "data:") {
				t.Errorf("the page asked for %.60s", asked)
			}
		}
		if len(page.Complaints) > 0 {
			t.Errorf("%s: the console says %q", decision, page.Complaints)
		}
	}
}

// spyBrowser is a browser that notes each address that it was opened with.
func spyBrowser(t *testing.T) (env []string, opened func() []string) {
	t.Helper()
	bin := t.TempDir()
	script := "#!/bin/sh\necho \"$1\" >> " + bin + "/addresses\n"
	if err := os.WriteFile(filepath.Join(bin, "browser"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return []string{"DISPLAY=:99", "BROWSER=" + filepath.Join(bin, "browser")}, func() []string {
		data, _ := os.ReadFile(filepath.Join(bin, "addresses")) // none yet
		return strings.Fields(string(data))
	}
}

// BROWSER as xdg-open and Python read it, and browsers that are none.
func TestBrowserVariable(t *testing.T) {
	for name, c := range map[string]struct {
		browser func(program string) string
		opened  bool
	}{
		"arguments":     {func(program string) string { return program + " %s --new-window" }, true},
		"a list":        {func(program string) string { return "no-such-program:" + program }, true},
		"fails at once": {func(program string) string { return "false:" + program }, true},
		"all fail":      {func(string) string { return "false:no-such-program" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			p.provider(t)
			env, opened := spyBrowser(t)
			program := strings.TrimPrefix(env[1], "BROWSER=")
			// Nothing but the variable leads to a browser.
			tools := t.TempDir()
			for _, tool := range []string{"authring", "sh", "false"} {
				path, err := exec.LookPath(tool)
				if err == nil {
					err = os.Symlink(path, filepath.Join(tools, tool))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			term := p.run([]string{env[0], "BROWSER=" + c.browser(program), "PATH=" + tools}, "link", "--provider", "example", "--allow-plaintext", "--way", "browser")
			shown := term.expect(waitingForBrowser)
			if got := strings.Contains(shown, "(opened)"); got != c.opened {
				t.Errorf("said to be opened: %v, want %v:\n%s", got, c.opened, shown)
			}
			for deadline := time.Now().Add(bound); c.opened && len(opened()) == 0 && time.Now().Before(deadline); {
				continue // the browser is on its way
			}
			if addresses := opened(); c.opened && (len(addresses) != 1 || addresses[0] != pageOf(t, shown)) || !c.opened && len(addresses) > 0 {
				t.Errorf("opened: %q", addresses)
			}
			term.typeText("\x03")
			term.end()
		})
	}
}

// One process leads through the link: others wait, and take over what one that
// died left, with the same page and no second window.
func TestOneLinkAtATime(t *testing.T) {
	env, opened := spyBrowser(t)
	p, _, flags := redirected(t, dropboxtest.WithAutoApprove())
	args := append([]string{"link"}, flags...)
	first := p.run(env, args...)
	page := pageOf(t, first.expect(waitingForBrowser))
	second := p.run(env, args...)
	second.expect(`"default" is being linked by authring (pid ` + strconv.Itoa(first.cmd.Process.Pid))
	second.expect("waiting for that")
	third := p.run(env, args...)
	third.expect("waiting for that")

	// Nobody to wait: it ends at once.
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, "authring", append(args, "--no-input", "--way", "browser", "--json")...)
	cmd.Env, cmd.Dir = append(append([]string{}, p.env...), env...), p.home
	out, _ := cmd.Output() // its exit code is looked at
	if got := cmd.ProcessState.ExitCode(); got != 75 || !strings.Contains(string(out), `"error": "link-under-way"`) {
		t.Errorf("exit code %d, want 75:\n%s", got, out)
	}

	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	next, last := second, third
	shown := ""
	for deadline := time.Now().Add(bound); shown == ""; {
		for _, term := range []*terminal{second, third} {
			if strings.Contains(term.all(), waitingForBrowser) {
				shown, next = term.all(), term
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody took over")
		}
	}
	if next == third {
		last = second
	}
	if again := pageOf(t, shown); again != page {
		t.Errorf("the page is another one, and the one that is open of no use:\n%s\n%s", page, again)
	}
	if !strings.Contains(shown, "was opened in your browser a moment ago") {
		t.Errorf("it is not said that the page is open already:\n%s", shown)
	}
	if _, body := browse(t, page); !strings.Contains(body, "Dropbox is linked") {
		t.Errorf("the page of the first process says:\n%s", body)
	}
	next.expect("Linked to Ada Lovelace")
	last.expect(`"default" is linked already, to Ada Lovelace`)
	for _, term := range []*terminal{next, last} {
		if got := term.end(); got != 0 {
			t.Errorf("exit code %d, want 0; shown:\n%s", got, term.all())
		}
	}
	if addresses := opened(); len(addresses) != 1 || addresses[0] != page {
		t.Errorf("a browser was opened %d times: %v", len(addresses), addresses)
	}
	if n := len(p.dropbox.Grants()); n != 1 {
		t.Errorf("%d grants, want 1", n)
	}
}

// Ten relinks at once are one relink.
func TestRelinksAtOnceAreOne(t *testing.T) {
	env, opened := spyBrowser(t)
	p, _, flags := redirected(t, dropboxtest.WithAutoApprove())
	args := append([]string{"link", "--relink"}, flags...)
	var terms []*terminal
	first := p.run(env, args...)
	page := pageOf(t, first.expect(waitingForBrowser))
	for range 9 {
		term := p.run(env, args...)
		term.expect("waiting for that")
		terms = append(terms, term)
	}
	browse(t, page)
	first.expect("Linked to Ada Lovelace")
	for _, term := range append(terms, first) {
		if got := term.end(); got != 0 {
			t.Errorf("exit code %d, want 0; shown:\n%s", got, term.all())
		}
	}
	if n := len(opened()); n != 1 {
		t.Errorf("a browser was opened %d times", n)
	}
	if n := len(p.dropbox.Grants()); n != 1 {
		t.Errorf("%d grants, want 1", n)
	}
}

// provider is a server that links devices, and that redirects.
func (p *person) provider(t *testing.T) *authServer {
	t.Helper()
	server := newAuthServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, "authring", "provider", "add", "example", "--title", "Example", "--auth-url", server.URL+"/auth",
		"--token-url", server.URL+"/token", "--device-url", server.URL+"/device", "--userinfo-url", server.URL+"/userinfo", "--client-id", "k", "--yes")
	cmd.Env, cmd.Dir = p.env, p.home
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("provider add: %v\n%s", err, out)
	}
	return server
}

func (term *terminal) resize(t *testing.T, columns, lines uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(term.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: lines}); err != nil {
		t.Fatal(err)
	}
}

// Over SSH there is no browser where the person sits: a code is typed on
// another device.
func TestLinkByDevice(t *testing.T) {
	p := newPerson(t)
	server := p.provider(t)
	env, opened := spyBrowser(t)
	env = append(env, "SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22")
	term := p.run(env, "link", "--provider", "example", "--allow-plaintext")
	shown := term.expect("for access to be approved")
	for _, want := range []string{server.URL + "/activate", "WDJB-MJHT"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not shown:\n%s", want, shown)
		}
	}
	select { // until it was told at least once that nothing is decided
	case <-server.polled:
	case <-time.After(bound):
		t.Fatal("the server is not asked")
	}
	server.decide(true)
	term.expect("Linked to Ada Lovelace <ada@example.org>")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
	if len(opened()) != 0 {
		t.Error("a browser was opened on the wrong machine")
	}
	// Denied, and where Example is named by the record.
	server.decide(false)
	term = p.run(env, "link", "--relink", "--way", "device")
	term.expect("access was denied")
	if got := term.end(); got != 1 {
		t.Errorf("exit code %d, want 1", got)
	}
}

// TestCodeForACamera reads the QR code off the terminal, as a phone does.
func TestCodeForACamera(t *testing.T) {
	needs.Programs(t, "zbarimg")
	for name, c := range map[string]struct {
		columns, lines uint16
		env            []string
		drawn          bool
	}{
		"in colour":         {100, 40, nil, true},
		"without":           {100, 40, []string{"NO_COLOR=1"}, true},
		"a usual terminal":  {80, 24, nil, true},
		"a small terminal":  {80, 20, nil, false},
		"no such letters":   {100, 40, []string{"LANG=C"}, false},
		"a narrow terminal": {30, 60, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			server := p.provider(t)
			server.quiet.Lock()
			term := p.run(c.env, "link", "--provider", "example", "--allow-plaintext", "--way", "device")
			term.resize(t, c.columns, c.lines)
			server.quiet.Unlock()
			shown := term.expect("for access to be approved")
			if drawn := strings.Contains(shown, "█"); drawn != c.drawn {
				t.Fatalf("drawn: %v, want %v:\n%s", drawn, c.drawn, shown)
			}
			if c.drawn {
				if got, want := scan(t, shown), server.URL+"/activate?user_code=WDJB-MJHT"; got != want {
					t.Errorf("the camera reads %q, want %q", got, want)
				}
			}
			term.typeText("\x03")
			term.end()
		})
	}
}

// A terminal whose locale has no such letters is sent none, and a pipe has what
// every other pipe has.
func TestLocaleWithoutSigns(t *testing.T) {
	p := newPerson(t)
	env := []string{"LANG=C.UTF-8", "LC_ALL=C"}
	term := p.run(env, "link", "--allow-plaintext")
	term.typeText(approvePage(t, term.expect("Code from Dropbox: ")) + "\r")
	term.expect("Linked to Ada Lovelace")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
	if shown := term.all(); !strings.Contains(shown, "+\x1b[0m Linked") || strings.ContainsFunc(shown, func(r rune) bool { return r > '~' }) {
		t.Errorf("shown:\n%q", shown)
	}
	cmd := exec.Command("authring", "status")
	cmd.Env, cmd.Dir = append(append([]string{}, p.env...), env...), p.home
	if out, err := cmd.Output(); err != nil || !strings.HasPrefix(string(out), "✓ default") {
		t.Errorf("status through a pipe: %v\n%s", err, out)
	}
}

// scan makes a picture of the block characters, and reads the code in it.
func scan(t *testing.T, shown string) string {
	t.Helper()
	var rows [][]color.Gray
	for line := range strings.Lines(regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(shown, "")) {
		line = strings.TrimRight(line, "\r\n")
		if !strings.ContainsAny(line, "█▀▄") {
			continue
		}
		var upper, lower []color.Gray
		for _, r := range line {
			white, black := color.Gray{Y: 255}, color.Gray{}
			a, b := black, black
			if r == '█' || r == '▀' {
				a = white
			}
			if r == '█' || r == '▄' {
				b = white
			}
			upper, lower = append(upper, a), append(lower, b)
		}
		rows = append(rows, upper, lower)
	}
	const scale = 6
	picture := image.NewGray(image.Rect(0, 0, len(rows[0])*scale, len(rows)*scale))
	for y := range picture.Rect.Dy() {
		for x := range picture.Rect.Dx() {
			if row := rows[y/scale]; x/scale < len(row) {
				picture.SetGray(x, y, row[x/scale])
			}
		}
	}
	path := filepath.Join(t.TempDir(), "code.png")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(file, picture), file.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("zbarimg", "--quiet", "--raw", "--nodbus", path).Output()
	if err != nil {
		t.Fatalf("zbarimg: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// A provider that redirects is waited for on any port that is free.
func TestLinkOnAnyPort(t *testing.T) {
	p := newPerson(t)
	p.provider(t)
	env, opened := spyBrowser(t)
	term := p.run(env, "link", "--provider", "example", "--allow-plaintext")
	term.expect(waitingForBrowser)
	for deadline := time.Now().Add(bound); len(opened()) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no browser was opened")
		}
	}
	if _, body := browse(t, opened()[0]); !strings.Contains(body, "Example is linked") {
		t.Errorf("the page says:\n%s", body)
	}
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
}

// With --no-input nothing is asked: the browser brings the answer.
func TestLinkWithoutATerminal(t *testing.T) {
	p := newPerson(t)
	server := p.provider(t)
	env, opened := spyBrowser(t)
	run := func() (code func() int, out *strings.Builder) {
		out = &strings.Builder{}
		cmd := exec.Command("authring", "link", "--provider", "example", "--allow-plaintext", "--no-input", "--way", "browser", "--json")
		cmd.Env, cmd.Dir, cmd.Stdout = append(append([]string{}, p.env...), env...), p.home, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(bound, func() { _ = cmd.Process.Kill() })
		return func() int { _ = cmd.Wait(); kill.Stop(); return cmd.ProcessState.ExitCode() }, out
	}
	waitOpened := func(n int) string {
		t.Helper()
		for deadline := time.Now().Add(bound); len(opened()) < n; {
			if time.Now().After(deadline) {
				t.Fatal("no browser was opened")
			}
		}
		return opened()[n-1]
	}
	server.decide(false)
	code, out := run()
	browse(t, waitOpened(1))
	if got := code(); got != 1 || !strings.Contains(out.String(), `"exit_code": 1`) {
		t.Errorf("denied: exit code %d, want 1:\n%s", got, out)
	}
	// It is not tried again and again.
	code, out = run()
	if got := code(); got != 75 || !strings.Contains(out.String(), `"error": "link-failed-lately"`) {
		t.Errorf("tried at once: exit code %d, want 75:\n%s", got, out)
	}
	// A person may.
	server.decide(true)
	term := p.run(nil, "link", "--provider", "example", "--allow-plaintext", "--way", "browser", "--no-browser")
	if _, body := browse(t, pageOf(t, term.expect(waitingForBrowser))); !strings.Contains(body, "Example is linked") {
		t.Errorf("the page says:\n%s", body)
	}
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
}

// Where no browser is wanted, or none would open before the person.
func TestNoBrowserOnTheWrongMachine(t *testing.T) {
	for name, env := range map[string][]string{
		"SSH":              {"SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22"},
		"SSH, its client":  {"SSH_CLIENT=192.0.2.1 1 22"},
		"container":        {"container=podman"},
		"Kubernetes":       {"KUBERNETES_SERVICE_HOST=192.0.2.1"},
		"hosted workplace": {"CODESPACES=true"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			spy, opened := spyBrowser(t)
			term := p.run(append(spy, env...), "link", "--allow-plaintext")
			shown := term.expect("Code from Dropbox: ")
			if !strings.Contains(shown, "Open this page in a browser") || len(opened()) != 0 {
				t.Errorf("a browser was opened:\n%s", shown)
			}
			term.typeText("\x03")
			term.end()
		})
	}
}

func TestEmulatorWithAnAppThatRedirects(t *testing.T) {
	const uri = "http://127.0.0.1:53682/linked"
	_, address := startEmulator(t, "--auto-approve", "--app-key", "mine", "--redirect-uri", uri)
	page := address + "/oauth2/authorize?client_id=mine&response_type=code&state=s&redirect_uri="
	if got := landing(t, page+url.QueryEscape(uri)); !strings.HasPrefix(got, uri+"?") || !strings.Contains(got, "code=") {
		t.Errorf("it leads to %s", got)
	}
	if got, body := browse(t, page+url.QueryEscape(uri+"/")); !strings.HasPrefix(got, address) || !strings.Contains(body, "Invalid redirect_uri") {
		t.Errorf("an address that is not registered leads to %s", got)
	}
}
