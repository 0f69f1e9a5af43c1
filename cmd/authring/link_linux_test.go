package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestLinkAtATerminal(t *testing.T) {
	p := newPerson(t)
	term := p.run(nil, "link")
	before := term.modes()
	term.expect("no keyring can take the secret")
	term.expect("Store it as plain text? [y/N] ")
	if shown := term.all(); strings.Contains(shown, "oauth2") {
		t.Error("the page was shown before plain text was accepted")
	}
	term.typeText("y\n")
	code := approvePage(t, term.expect("Code from Dropbox: "))
	term.typeText(code + "\r")
	term.expect("****************")
	term.expect("Linked to Ada Lovelace <ada@example.org>")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
	if strings.Contains(term.all(), code) {
		t.Error("the code was shown")
	}
	if !strings.Contains(term.all(), "\x1b[32m✓\x1b[0m") {
		t.Error("nothing is coloured")
	}
	if term.modes() != before {
		t.Error("the terminal is not as it was")
	}
	if n := len(p.dropbox.Grants()); n != 1 {
		t.Errorf("%d grants, want 1", n)
	}

	term = p.run([]string{"NO_COLOR=1"}, "status")
	term.expect("linked")
	term.end()
	if strings.Contains(term.all(), "\x1b") {
		t.Error("NO_COLOR is not honoured")
	}

	term = p.run(nil, "unlink")
	term.expect(`Unlink "default" from Ada Lovelace <ada@example.org>? [y/N] `)
	term.typeText("\n")
	term.expect("nothing was changed")
	if got := term.end(); got != 130 {
		t.Errorf("exit code %d, want 130", got)
	}
	term = p.run(nil, "unlink")
	term.expect("[y/N] ")
	term.typeText("yes\n")
	term.expect("revoked at Dropbox")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
	if n := len(p.dropbox.Grants()); n != 0 {
		t.Errorf("%d grants, want 0", n)
	}
}

func TestPlaintextIsRefusedByDefault(t *testing.T) {
	p := newPerson(t)
	term := p.run(nil, "link")
	term.expect("Store it as plain text? [y/N] ")
	term.typeText("\n")
	term.expect("authring link --allow-plaintext")
	if got := term.end(); got != 5 {
		t.Errorf("exit code %d, want 5", got)
	}
	if got := strings.Count(term.all(), "no session bus"); got != 1 {
		t.Errorf("why no keyring can be used is said %d times:\n%s", got, term.all())
	}
	if p.exists(".local") || p.exists(".config") {
		t.Error("something was written")
	}
}

func TestCodesAreAskedForAgain(t *testing.T) {
	p := newPerson(t)
	term := p.run(nil, "link", "--allow-plaintext")
	code := approvePage(t, term.expect("Code from Dropbox: "))
	term.typeText("sl.SomeAccessToken\r")
	term.expect("it is an access token")
	term.expect("Code from Dropbox: ")
	// A wrong code, corrected while it is typed, is still wrong.
	term.typeText("XXXX\x15" + strings.Repeat("A", 42) + "B\x7fA\r")
	shown := term.expect("Code from Dropbox: ")
	if !strings.Contains(shown, "wrong, already used, or expired") {
		t.Errorf("the refusal is not explained:\n%s", shown)
	}
	fresh := approvePage(t, shown)
	if fresh == code {
		t.Error("the page is not a fresh one")
	}
	term.typeText(fresh + "\r")
	term.expect("Linked to Ada Lovelace")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
}

func TestWrongCodesEndAfterSomeTries(t *testing.T) {
	p := newPerson(t)
	term := p.run(nil, "link", "--allow-plaintext")
	for range 3 {
		term.expect("Code from Dropbox: ")
		term.typeText(strings.Repeat("A", 43) + "\r")
	}
	term.expect("A new page")
	term.expect("authring link --finish")
	if got := term.end(); got != 1 {
		t.Errorf("exit code %d, want 1", got)
	}
	if p.exists(".config", "authring", "default.ini") {
		t.Error("something was saved")
	}
}

func TestInterruptedLink(t *testing.T) {
	for name, interrupt := range map[string]func(*terminal){
		"Ctrl-C":  func(term *terminal) { term.typeText("\x03") },
		"Ctrl-D":  func(term *terminal) { term.typeText("\x04") },
		"SIGINT":  func(term *terminal) { _ = term.cmd.Process.Signal(syscall.SIGINT) },
		"SIGTERM": func(term *terminal) { _ = term.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGHUP":  func(term *terminal) { _ = term.cmd.Process.Signal(syscall.SIGHUP) },
	} {
		for _, prompt := range []string{"Code from Dropbox: ", "[y/N] "} {
			t.Run(name+" at "+strings.TrimSpace(prompt), func(t *testing.T) {
				p := newPerson(t)
				args := []string{"link"}
				if !strings.Contains(prompt, "y/N") {
					args = append(args, "--allow-plaintext")
				}
				term := p.run(nil, args...)
				before := term.modes()
				term.expect(prompt)
				interrupt(term)
				if got := term.end(); got != 130 {
					t.Errorf("exit code %d, want 130; shown:\n%s", got, term.all())
				}
				if term.modes() != before {
					t.Error("the terminal is not as it was")
				}
				if p.exists(".config") || p.exists(".local", "share") {
					t.Error("something was left half done")
				}
			})
		}
	}
}

// An interrupt while Dropbox is asked: what it grants meanwhile is given back.
func TestInterruptedExchange(t *testing.T) {
	p := newPerson(t)
	p.dropbox.SetFault("code:slow-body=2ms")
	term := p.run(nil, "link", "--allow-plaintext")
	code := approvePage(t, term.expect("Code from Dropbox: "))
	term.typeText(code + "\r")
	deadline := time.Now().Add(bound)
	for len(p.dropbox.Grants()) == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the code was not redeemed")
		}
	}
	term.typeText("\x03")
	if got := term.end(); got != 130 {
		t.Errorf("exit code %d, want 130; shown:\n%s", got, term.all())
	}
	if grants := p.dropbox.Grants(); len(grants) != 0 {
		t.Errorf("a grant is left alive unnoticed: %v", grants)
	}
	if p.exists(".config", "authring", "default.ini") || p.exists(".local", "share") {
		t.Error("something was left half done")
	}
}

func TestBrowser(t *testing.T) {
	p := newPerson(t)
	bin := t.TempDir()
	// A browser that talks, never ends by itself, and notes its address.
	script := "#!/bin/sh\necho from the browser\necho from the browser >&2\n" +
		"echo $$ > " + bin + "/pid\necho \"$1\" > " + bin + "/address.tmp && mv " + bin + "/address.tmp " + bin + "/address\nexec sleep 600\n"
	if err := os.WriteFile(filepath.Join(bin, "browser"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	display := []string{"DISPLAY=:99", "BROWSER=" + filepath.Join(bin, "browser")}

	term := p.run(display, "link", "--allow-plaintext")
	shown := term.expect("Code from Dropbox: ")
	if !strings.Contains(shown, "in your browser (opened)") {
		t.Errorf("it is not said that the browser was opened:\n%s", shown)
	}
	address := waitForFile(t, filepath.Join(bin, "address"))
	t.Cleanup(func() {
		var pid int
		if _, err := fmt.Sscan(waitForFile(t, filepath.Join(bin, "pid")), &pid); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	code, err := approve(strings.TrimSpace(address))
	if err != nil {
		t.Fatal(err)
	}
	term.typeText(code + "\r")
	term.expect("Linked to")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0", got)
	}
	if strings.Contains(term.all(), "from the browser") {
		t.Error("the browser's output is in ours")
	}

	for name, c := range map[string]struct {
		env  []string
		args []string
	}{
		"not asked for": {display, []string{"--no-browser"}},
		"over SSH":      {append(display, "SSH_CONNECTION=192.0.2.1 1 192.0.2.2 22"), nil},
		"on no display": {nil, nil},
		"for programs":  {display, []string{"--json"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			term := p.run(c.env, append([]string{"link", "--allow-plaintext"}, c.args...)...)
			shown := term.expect("Code from Dropbox: ")
			if !strings.Contains(shown, "Open this page") || !pageAddress.MatchString(shown) {
				t.Errorf("the page is not shown:\n%s", shown)
			}
			term.typeText("\x03")
			term.end()
		})
	}
}

// TestBrowserWithoutDisplay: a browser that is named is opened without a display
// in a container, where editors name one, and nowhere else.
func TestBrowserWithoutDisplay(t *testing.T) {
	want := "Open this page"
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			want = "in your browser (opened)"
		}
	}
	p := newPerson(t)
	term := p.run([]string{"BROWSER=/bin/true"}, "link", "--allow-plaintext")
	if shown := term.expect("Code from Dropbox: "); !strings.Contains(shown, want) {
		t.Errorf("it does not say %q:\n%s", want, shown)
	}
	term.typeText("\x03")
	term.end()
}

func waitForFile(t *testing.T, path string) string {
	t.Helper()
	deadline := time.Now().Add(bound)
	for {
		if data, err := os.ReadFile(path); err == nil {
			return string(data)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s did not appear", path)
		}
	}
}
