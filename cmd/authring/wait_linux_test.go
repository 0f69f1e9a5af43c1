package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/daemontest"
)

// waitingText is shown while the keyring is awaited.
const waitingText = "(unlock it to go on)"

func TestWaitForASecretService(t *testing.T) {
	p, desk := onDesk(t)
	gnome := daemontest.StartGNOME(t, desk)
	p.link()
	all := t // the daemon outlives the parts

	t.Run("that comes up", func(t *testing.T) {
		gnome.Stop(t)
		term := p.run(nil, "token", "--wait-keyring", "1m")
		term.expect(waitingText)
		gnome.StartUnlocked(all)
		wantToken(t, term)
	})
	t.Run("that comes up locked, and is unlocked", func(t *testing.T) {
		gnome.Stop(t)
		term := p.run(nil, "token", "--wait-keyring", "1m")
		term.expect(waitingText)
		gnome.StartLocked(all)
		gnome.Unlock(t)
		wantToken(t, term)
	})
	t.Run("that is locked, and unlocked by another program", func(t *testing.T) {
		gnome.Lock(t)
		term := p.run(nil, "token", "--wait-keyring", "1m")
		term.expect(waitingText)
		gnome.Unlock(t)
		wantToken(t, term)
	})
	t.Run("that stays locked", func(t *testing.T) {
		gnome.Lock(t)
		asked := daemontest.StartPrompter(t, desk).Asked
		stdout, stderr := p.want(75, "", "token", "--wait-keyring", "300ms")
		if stdout != "" || !strings.Contains(stderr, "waited 300ms in vain") || !strings.Contains(stderr, "locked") {
			t.Errorf("token says:\n%s%s", stdout, stderr)
		}
		select {
		case <-asked:
			t.Error("somebody was asked for the password")
		default:
		}
	})
	t.Run("that is gone, for each verb", func(t *testing.T) {
		gnome.Stop(t)
		stdout, _ := p.want(75, "", "token", "--wait-keyring", "200ms", "--json")
		if !strings.Contains(stdout, `"error": "keyring-not-ready"`) {
			t.Errorf("token says:\n%s", stdout)
		}
		p.want(75, "", "unlink", "--yes", "--wait-keyring", "200ms")
		p.want(75, "", "link", "--begin", "-c", "new", "--wait-keyring", "200ms")
		// What nothing has to be waited for is not waited for.
		p.want(3, "", "token", "-c", "other", "--wait-keyring", "1h")
		p.want(0, "", "link", "--begin", "-c", "other", "--keyring", "plaintext", "--wait-keyring", "1h")
		p.want(0, "", "unlink", "--yes", "--local-only", "--wait-keyring", "1h")
	})
	t.Run("for a new link", func(t *testing.T) {
		term := p.run(nil, "link", "--begin", "-c", "new", "--wait-keyring", "1m")
		term.expect("Waiting for")
		gnome.StartUnlocked(all)
		term.expect("oauth2/authorize")
		if got := term.end(); got != 0 {
			t.Errorf("exit code %d, want 0", got)
		}
	})
}

// As a service that starts before its user's session: there is no bus, and not
// even its folder.
func TestWaitForTheBus(t *testing.T) {
	p, desk := onDesk(t)
	daemontest.StartGNOME(t, desk)
	p.link()
	late := filepath.Join(t.TempDir(), "run")
	p.env = append(p.env, "DBUS_SESSION_BUS_ADDRESS=", "XDG_RUNTIME_DIR="+late)
	p.want(75, "", "token", "--wait-keyring", "200ms")
	term := p.run(nil, "token", "--wait-keyring", "1m")
	term.expect("Waiting for")
	if err := os.Mkdir(late, 0o700); err != nil {
		t.Fatal(err)
	}
	socket, _, _ := strings.Cut(strings.TrimPrefix(desk.Address, "unix:path="), ",")
	if err := os.Link(socket, filepath.Join(late, "bus")); err != nil {
		t.Fatal(err)
	}
	wantToken(t, term)
}

func TestWaitForKWallet(t *testing.T) {
	p, desk := onDesk(t)
	wallet := daemontest.StartKWallet(t, desk)
	p.link()
	wallet.Stop(t)
	term := p.run(nil, "token", "--wait-keyring", "1m")
	term.expect(waitingText)
	wallet.Start(t)
	wallet.Open(t)
	wantToken(t, term)
	wallet.Close(t)
	p.want(75, "", "token", "--wait-keyring", "200ms")
	term = p.run(nil, "token", "--wait-keyring", "1m")
	term.expect(waitingText)
	wallet.Open(t)
	wantToken(t, term)
}

func TestWaitForKeePassXC(t *testing.T) {
	p, desk := onDesk(t)
	pass := daemontest.StartKeePassXC(t, desk)
	p.link()
	pass.Lock(t)
	term := p.run(nil, "token", "--wait-keyring", "1m")
	term.expect(waitingText)
	pass.Unlock(t)
	wantToken(t, term)
	// It has the name before it has a database.
	pass.Stop(t)
	pass.Start(t, false)
	term = p.run(nil, "token", "--wait-keyring", "1m")
	term.expect(waitingText)
	pass.Unlock(t)
	wantToken(t, term)
}

func TestGivenUpWaiting(t *testing.T) {
	p, desk := onDesk(t)
	gnome := daemontest.StartGNOME(t, desk)
	p.link()
	gnome.Lock(t)
	term := p.run(nil, "token", "--wait-keyring", "1h")
	term.expect(waitingText)
	term.typeText("\x03")
	if got := term.end(); got != 130 {
		t.Errorf("exit code %d, want 130", got)
	}
}

// wantToken waits for the token, sooner than the program's own patience.
func wantToken(t *testing.T, term *terminal) {
	t.Helper()
	began := time.Now()
	term.expect("sl.")
	if got := term.end(); got != 0 {
		t.Errorf("exit code %d, want 0; shown:\n%s", got, term.all())
	}
	t.Logf("a token %v after the keyring was ready", time.Since(began).Round(time.Millisecond))
}
