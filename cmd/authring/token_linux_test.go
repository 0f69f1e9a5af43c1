package main

import (
	"testing"
	"time"

	"github.com/authring/authring/internal/daemontest"
)

// A person who waits is told for what, and can give up.
func TestInterruptedToken(t *testing.T) {
	t.Run("while Dropbox is silent", func(t *testing.T) {
		p := newPerson(t)
		p.link("--keyring", "plaintext")
		p.dropbox.SetFault("refresh:hang")
		term := p.run(nil, "token")
		term.expect("Waiting for Dropbox")
		term.typeText("\x03")
		if got := term.end(); got != 130 {
			t.Errorf("exit code %d, want 130", got)
		}
		p.dropbox.ClearFaults()
		p.want(0, "", "token")
	})
	t.Run("while the agent asks", func(t *testing.T) {
		p := newPerson(t)
		p.link("--keyring", "plaintext")
		p.withAgent(p.home)
		p.dropbox.SetFault("refresh:hang")
		term := p.run(nil, "token")
		term.expect("Waiting for the agent (it may be asking Dropbox, or you)")
		term.typeText("\x03")
		if got := term.end(); got != 130 {
			t.Errorf("exit code %d, want 130", got)
		}
		p.dropbox.ClearFaults()
		p.want(0, "", "token")
	})
	t.Run("while the keyring asks", func(t *testing.T) {
		p, desk := onDesk(t)
		gnome := daemontest.StartGNOME(t, desk)
		p.link()
		gnome.Lock(t)
		prompter := daemontest.StartPrompter(t, desk, daemontest.Ignore())
		term := p.run(nil, "token")
		waitFor(t, prompter.Asked, "gnome-keyring asks nothing")
		term.expect("Waiting for GNOME Keyring (unlock it if it asks)")
		term.typeText("\x03")
		if got := term.end(); got != 130 {
			t.Errorf("exit code %d, want 130", got)
		}
	})
}

// An unlink that is given up leaves the link as it was.
func TestInterruptedUnlink(t *testing.T) {
	p := newPerson(t)
	p.link("--keyring", "plaintext")
	p.dropbox.SetFault("refresh:hang")
	term := p.run(nil, "unlink", "--yes")
	term.expect("Waiting for Dropbox")
	term.typeText("\x03")
	if got := term.end(); got != 130 {
		t.Errorf("exit code %d, want 130; shown:\n%s", got, term.all())
	}
	p.dropbox.ClearFaults()
	// Nothing was half done.
	p.want(0, "", "token")
	p.want(0, "", "unlink", "--yes")
}

func waitFor(t *testing.T, happened <-chan struct{}, otherwise string) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(bound):
		t.Fatal(otherwise)
	}
}
