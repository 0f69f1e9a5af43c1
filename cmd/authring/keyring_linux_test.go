package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/authring/authring/internal/daemontest"
)

// onDesk is a person with a session bus of their own.
func onDesk(t *testing.T) (*person, *daemontest.Desk) {
	desk := daemontest.NewDesk(t)
	p := newPerson(t)
	p.home = desk.Home
	p.env = append(desk.Environ(), quickEnd, "TERM=xterm", "AUTHRING_DROPBOX_URL="+p.dropbox.URL)
	return p, desk
}

// call runs authring without a terminal.
func (p *person) call(stdin string, args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	cmd := exec.Command("authring", args...)
	cmd.Env, cmd.Dir = p.env, p.home
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			p.t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	return out.String(), errs.String(), code
}

// want runs authring and checks its exit code.
func (p *person) want(code int, stdin string, args ...string) (stdout, stderr string) {
	p.t.Helper()
	stdout, stderr, got := p.call(stdin, args...)
	if got != code {
		p.t.Fatalf("authring %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, stdout, stderr)
	}
	return stdout, stderr
}

// link links in two steps.
func (p *person) link(args ...string) {
	p.t.Helper()
	page, _ := p.want(0, "", append([]string{"link", "--begin"}, args...)...)
	p.want(0, approvePage(p.t, page), append([]string{"link", "--finish"}, args...)...)
}

func TestGNOMEKeyring(t *testing.T) {
	p, desk := onDesk(t)
	gnome := daemontest.StartGNOME(t, desk)
	p.link()
	stdout, _ := p.want(0, "", "status", "--json")
	var status struct {
		State     string `json:"state"`
		Keyring   string `json:"keyring"`
		AccountID string `json:"account_id"`
	}
	if err := json.Unmarshal([]byte(stdout), &status); err != nil {
		t.Fatal(err)
	}
	if status.State != "linked" || status.Keyring != "secret-service" {
		t.Fatalf("status is %+v", status)
	}
	stdout, _ = p.want(0, "", "keyrings")
	if !strings.Contains(stdout, "✓ secret-service  ready") {
		t.Errorf("the keyring in use is not marked:\n%s", stdout)
	}
	if stdout, stderr := p.want(0, "", "bench-read"); stdout+stderr != "" {
		t.Errorf("bench-read printed %q", stdout+stderr)
	}

	// Its user finds the secret in the keyring, and nowhere else.
	lookup := desk.Command("secret-tool", "lookup", "service", "authring", "username", "config:default:"+status.AccountID)
	secret, err := lookup.Output()
	if err != nil || len(secret) == 0 {
		t.Fatalf("secret-tool finds no item: %v", err)
	}
	grep := desk.Command("grep", "-rlF", "--", string(secret), desk.Home)
	if found, _ := grep.Output(); len(found) > 0 {
		t.Errorf("the secret is in the files %s", found)
	}

	// Locked is neither unlinked nor a reason to wait.
	gnome.Lock(t)
	stdout, _ = p.want(4, "", "status")
	if !strings.Contains(stdout, "! default  locked") || !strings.Contains(stdout, "authring token") {
		t.Errorf("status says:\n%s", stdout)
	}
	if _, stderr := p.want(4, "", "token", "--no-input"); !strings.Contains(stderr, "is locked") {
		t.Errorf("token says:\n%s", stderr)
	}
	if _, stderr := p.want(4, "", "unlink", "--yes", "--no-input"); !strings.Contains(stderr, "nothing was changed") {
		t.Errorf("unlink says:\n%s", stderr)
	}
	if _, stderr := p.want(4, "", "link", "--begin"); !strings.Contains(stderr, "--relink --keyring ID") {
		t.Errorf("link says:\n%s", stderr)
	}

	// The question is turned down, and then answered.
	daemontest.StartPrompter(t, desk, daemontest.Cancel(), daemontest.Type(daemontest.GNOMEPassword))
	stdout, stderr := p.want(4, "", "token", "--json")
	if !strings.Contains(stdout, `"error": "dismissed"`) {
		t.Errorf("token says:\n%s%s", stdout, stderr)
	}
	p.want(0, "", "token")

	// The daemon is gone.
	gnome.Stop(t)
	stdout, _ = p.want(5, "", "status")
	if !strings.Contains(stdout, "! default  unavailable") {
		t.Errorf("status says:\n%s", stdout)
	}
	p.want(0, "", "unlink", "--yes", "--local-only")
	p.want(3, "", "status")
}

func TestDismissedWhileSaving(t *testing.T) {
	t.Run("without a terminal", func(t *testing.T) {
		p, desk := onDesk(t)
		daemontest.StartGNOME(t, desk).Lock(t)
		daemontest.StartPrompter(t, desk, daemontest.Cancel())
		page, _ := p.want(0, "", "link", "--begin")
		_, stderr := p.want(4, approvePage(t, page), "link", "--finish")
		if !strings.Contains(stderr, "nothing was linked, and the new grant was revoked") {
			t.Errorf("link says:\n%s", stderr)
		}
		if grants := p.dropbox.Grants(); len(grants) != 0 {
			t.Errorf("grants are left: %v", grants)
		}
	})
	t.Run("asked about plain text, and asked again", func(t *testing.T) {
		p, desk := onDesk(t)
		daemontest.StartGNOME(t, desk).Lock(t)
		daemontest.StartPrompter(t, desk, daemontest.Cancel(), daemontest.Type(daemontest.GNOMEPassword))
		term := p.run(nil, "link")
		term.typeText(approvePage(t, term.expect("Code from Dropbox: ")) + "\r")
		term.expect("Store it as plain text? [y/N] ")
		term.typeText("n\n")
		term.expect("Ask the keyring once more? [y/N] ")
		term.typeText("y\n")
		term.expect("Linked to Ada Lovelace")
		if got := term.end(); got != 0 {
			t.Errorf("exit code %d, want 0", got)
		}
		if p.exists(".local", "share", "python_keyring") {
			t.Error("a plain-text file was made")
		}
	})
	t.Run("plain text accepted", func(t *testing.T) {
		p, desk := onDesk(t)
		daemontest.StartGNOME(t, desk).Lock(t)
		daemontest.StartPrompter(t, desk, daemontest.Cancel())
		term := p.run(nil, "link")
		term.typeText(approvePage(t, term.expect("Code from Dropbox: ")) + "\r")
		term.expect("Store it as plain text? [y/N] ")
		term.typeText("y\n")
		term.expect("stored as plain text")
		if got := term.end(); got != 0 {
			t.Errorf("exit code %d, want 0", got)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		p, desk := onDesk(t)
		daemontest.StartGNOME(t, desk).Lock(t)
		prompter := daemontest.StartPrompter(t, desk, daemontest.Ignore())
		term := p.run(nil, "link")
		term.typeText(approvePage(t, term.expect("Code from Dropbox: ")) + "\r")
		waitFor(t, prompter.Asked, "gnome-keyring asks nothing")
		term.expect("Waiting for ")
		term.typeText("\x03")
		term.expect("the new grant was revoked at Dropbox")
		if got := term.end(); got != 130 {
			t.Errorf("exit code %d, want 130", got)
		}
		if grants := p.dropbox.Grants(); len(grants) != 0 {
			t.Errorf("grants are left: %v", grants)
		}
	})
}

func TestDemoUsesAnOpenKeyring(t *testing.T) {
	p, desk := onDesk(t)
	gnome := daemontest.StartGNOME(t, desk)
	stdout, _ := p.want(0, "", "demo")
	for _, text := range []string{"went to your own keyring", "service   authring-demo", "secret-tool lookup", "401 Unauthorized"} {
		if !strings.Contains(stdout, text) {
			t.Errorf("the demo does not say %q:\n%s", text, stdout)
		}
	}
	if found, _ := desk.Command("secret-tool", "search", "--all", "service", "authring-demo").Output(); len(found) > 0 {
		t.Errorf("the demo left in the keyring:\n%s", found)
	}
	// A keyring that is locked is left alone.
	gnome.Lock(t)
	if stdout, _ = p.want(0, "", "demo"); !strings.Contains(stdout, "No keyring is open here") {
		t.Errorf("the demo says:\n%s", stdout)
	}
}
