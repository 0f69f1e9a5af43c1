//go:build linux

package kwallet_test

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/kwallet"
	"github.com/authring/authring/secret"
)

// sit puts this process at a new desk.
func sit(t *testing.T, opts ...daemontest.Option) *daemontest.Desk {
	t.Helper()
	desk := daemontest.NewDesk(t, opts...)
	for name, value := range map[string]string{
		"HOME": desk.Home, "XDG_RUNTIME_DIR": desk.Runtime, "DBUS_SESSION_BUS_ADDRESS": desk.Address,
		"XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "XDG_CONFIG_DIRS": desk.Home + "/none",
		"XDG_CURRENT_DESKTOP": "", "KDE_FULL_SESSION": "",
	} {
		t.Setenv(name, value)
	}
	return desk
}

func newKeyring(t *testing.T, opts ...kwallet.Option) *kwallet.Keyring {
	t.Helper()
	k := kwallet.New(opts...)
	t.Cleanup(func() { _ = k.Close() })
	return k
}

func testKey(user string) keyring.Key { return keyring.Key{Service: "authring", User: user} }

// bounded ends a test that hangs.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func get(t *testing.T, k keyring.Keyring, user string, prompt keyring.Prompt) (string, error) {
	t.Helper()
	value, err := k.Get(bounded(t), testKey(user), prompt)
	return value.Reveal(), err
}

func set(t *testing.T, k keyring.Keyring, user, value string, prompt keyring.Prompt) error {
	t.Helper()
	return k.Set(bounded(t), testKey(user), secret.New(value), prompt)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, what string, err, want error, says string) {
	t.Helper()
	if !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
		t.Errorf("%s = %v; want %q that says %q", what, err, want, says)
	}
}

func wantStatus(t *testing.T, k keyring.Keyring, want keyring.Availability, says string) {
	t.Helper()
	status := keyring.Probe(bounded(t), k)
	if status.Availability != want || !strings.Contains(status.Detail, says) || status.Name != "KWallet" {
		t.Errorf("Probe = %+v (%v); want %v that says %q", status, status.Availability, want, says)
	}
}

// eventually asks until the answer is yes. To ask takes a round trip to a
// daemon, which is the pause.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s until %s", what)
		}
	}
}

// xdo runs xdotool on a display.
func xdo(t *testing.T, display string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(bounded(t), "xdotool", args...)
	cmd.Env = []string{"DISPLAY=" + display, "PATH=/usr/bin:/bin", "HOME=/nonexistent"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("xdotool %q: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// dialog waits for KWallet's question and gives it the keyboard.
func dialog(t *testing.T, display string) {
	t.Helper()
	window := xdo(t, display, "search", "--sync", "--onlyvisible", "--class", "kwalletd5")
	window, _, _ = strings.Cut(window, "\n")
	xdo(t, display, "windowfocus", "--sync", window)
}

// answer types a password into the question.
func answer(t *testing.T, display, password string) {
	t.Helper()
	xdo(t, display, "type", password)
	xdo(t, display, "key", "Return")
}
