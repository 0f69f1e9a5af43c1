//go:build linux

package kwallet_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/kwallet"
	"github.com/authring/authring/secret"
)

func TestConformance(t *testing.T) {
	desk := sit(t)
	behind := matrix.Behind{
		How: matrix.Daemon, Name: "kwalletd5",
		Version: matrix.Version(t, desk.Environ(), "kwalletd5", "--version"),
	}
	daemontest.StartKWallet(t, desk)
	matrix.Run(t, behind, func(t *testing.T) keyring.Keyring { return newKeyring(t) })
}

func TestSurvivesARestartOfTheDaemon(t *testing.T) {
	desk := sit(t)
	w := daemontest.StartKWallet(t, desk)
	k := newKeyring(t)
	must(t, set(t, k, "a", "durable", keyring.NoPrompt))
	w.Stop(t) // killed: only what is on disk counts
	if _, err := get(t, k, "a", keyring.NoPrompt); err == nil {
		t.Error("Get without a daemon succeeded")
	} else {
		wantError(t, "Get without a daemon", err, keyring.ErrAbsent, "no KWallet")
	}
	w.Start(t)
	_, err := get(t, k, "a", keyring.NoPrompt)
	wantError(t, "Get after a restart", err, keyring.ErrLocked, "closed")
	w.Open(t)
	if got, err := get(t, k, "a", keyring.NoPrompt); err != nil || got != "durable" {
		t.Errorf("Get = %q, %v", got, err)
	}
}

func TestClosedWallet(t *testing.T) {
	desk := sit(t)
	w := daemontest.StartKWallet(t, desk)
	k := newKeyring(t)
	must(t, set(t, k, "a", "1", keyring.NoPrompt))
	w.Close(t)

	_, err := get(t, k, "a", keyring.NoPrompt)
	wantError(t, "Get", err, keyring.ErrLocked, "closed")
	_, err = get(t, k, "missing", keyring.NoPrompt)
	wantError(t, "Get of what the index does not have", err, keyring.ErrNotFound, "")
	wantError(t, "Set", set(t, k, "a", "2", keyring.NoPrompt), keyring.ErrLocked, "closed")
	wantError(t, "Delete", k.Delete(bounded(t), testKey("a"), keyring.NoPrompt), keyring.ErrLocked, "closed")
	wantStatus(t, k, keyring.Locked, "closed")
	if w.IsOpen(t) {
		t.Error("the wallet was opened")
	}
	w.Open(t)
	if got, err := get(t, k, "a", keyring.NoPrompt); err != nil || got != "1" {
		t.Errorf("Get = %q, %v", got, err)
	}
}

func TestNoWallet(t *testing.T) {
	desk := sit(t)
	daemontest.StartKWallet(t, desk, daemontest.WithoutWallet())
	k := newKeyring(t)
	wantStatus(t, k, keyring.Locked, "no wallet yet")
	_, err := get(t, k, "a", keyring.AskUser)
	wantError(t, "Get", err, keyring.ErrNotFound, "")
	wantError(t, "Delete", k.Delete(bounded(t), testKey("a"), keyring.AskUser), keyring.ErrNotFound, "")
	wantError(t, "Set", set(t, k, "a", "1", keyring.NoPrompt), keyring.ErrLocked, "no wallet yet")
	wantStatus(t, k, keyring.Locked, "no wallet yet")
}

// TestLeaveOpenOff: where a wallet closes with its last user, it stays open
// between the calls of one keyring, and no longer.
func TestLeaveOpenOff(t *testing.T) {
	desk := sit(t)
	w := daemontest.StartKWallet(t, desk, daemontest.WithWalletSetting("Leave Open=false"))
	k := newKeyring(t)
	must(t, set(t, k, "a", "1", keyring.NoPrompt))
	if got, err := get(t, k, "a", keyring.NoPrompt); err != nil || got != "1" {
		t.Errorf("second call: %q, %v", got, err)
	}
	if users := w.Users(t); fmt.Sprint(users) != "[authring]" {
		t.Errorf("users of the wallet: %v", users)
	}
	must(t, k.Close())
	eventually(t, "the wallet is closed", func() bool { return !w.IsOpen(t) })
	_, err := get(t, k, "a", keyring.NoPrompt)
	wantError(t, "Get", err, keyring.ErrLocked, "closed")
}

// TestAppIDs: a handle is good for one program only, an entry for all.
func TestAppIDs(t *testing.T) {
	desk := sit(t)
	daemontest.StartKWallet(t, desk)
	must(t, set(t, newKeyring(t), "a", "1", keyring.NoPrompt))
	other := newKeyring(t, kwallet.WithAppID("another program"))
	if got, err := get(t, other, "a", keyring.NoPrompt); err != nil || got != "1" {
		t.Errorf("Get = %q, %v", got, err)
	}
}

func TestLeavesNoSession(t *testing.T) {
	desk := sit(t)
	w := daemontest.StartKWallet(t, desk)
	must(t, set(t, newKeyring(t), "a", "1", keyring.NoPrompt))
	eventually(t, "nobody uses the wallet", func() bool { return len(w.Users(t)) == 0 })
}

func TestOtherTypesOfEntries(t *testing.T) {
	desk := sit(t)
	w := daemontest.StartKWallet(t, desk)
	k := newKeyring(t)
	must(t, set(t, k, "other", "1", keyring.NoPrompt))
	w.WriteEntry(t, "authring", "map", 3, []byte{0, 0, 0, 0})
	w.WriteEntry(t, "authring", "stream", 2, []byte("binary"))
	w.WriteEntry(t, "authring", "empty", 1, nil)
	for user, says := range map[string]string{"map": "not a password", "stream": "not a password", "empty": "empty"} {
		_, err := get(t, k, user, keyring.NoPrompt)
		wantError(t, "Get of "+user, err, keyring.ErrUnavailable, says)
	}
	wantError(t, "Set over a map", set(t, k, "map", "1", keyring.NoPrompt), keyring.ErrUnavailable, "left as it is")
	must(t, set(t, k, "empty", "1", keyring.NoPrompt))
	if got, err := get(t, k, "empty", keyring.NoPrompt); err != nil || got != "1" {
		t.Errorf("Get = %q, %v", got, err)
	}
}

func TestKeysAndValuesThatDoNotFit(t *testing.T) {
	desk := sit(t)
	daemontest.StartKWallet(t, desk)
	k := newKeyring(t)
	for _, key := range []keyring.Key{{Service: "s"}, {User: "u"}, {Service: "s", User: "a\x00b"}, {Service: "\xff", User: "u"}} {
		_, err := k.Get(bounded(t), key, keyring.NoPrompt)
		wantError(t, fmt.Sprintf("Get(%q)", key), err, keyring.ErrUnavailable, "service and a user name")
	}
	for _, value := range []string{"", "a\x00b", "\xff"} {
		wantError(t, fmt.Sprintf("Set to %q", value), set(t, k, "a", value, keyring.NoPrompt), keyring.ErrUnavailable, "a secret is a text")
	}
	_, err := get(t, k, "a", keyring.NoPrompt)
	wantError(t, "Get", err, keyring.ErrNotFound, "")
}

// python runs Python's genuine keyring.
const python = `
import sys
from keyring.backends.kwallet import DBusKeyring
verb, service, user = sys.argv[1:]
keyring = DBusKeyring()
if verb == 'set':
    keyring.set_password(service, user, sys.stdin.read())
elif verb == 'delete':
    keyring.delete_password(service, user)
else:
    value = keyring.get_password(service, user)
    sys.stdout.write('none' if value is None else 'value ' + value)
`

func runPython(t *testing.T, desk *daemontest.Desk, verb string, key keyring.Key, value string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/bin/python3", "-X", "utf8", "-c", python, verb, key.Service, key.User)
	cmd.Env = desk.Environ()
	cmd.Stdin = strings.NewReader(value)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Python, %s %v: %v", verb, key, err)
	}
	return string(out)
}

func TestPythonTenRounds(t *testing.T) {
	needs.Programs(t, "/usr/bin/python3")
	if err := exec.Command("/usr/bin/python3", "-c", "import dbus, keyring.backends.kwallet").Run(); err != nil {
		needs.Missing(t, "python3-keyring and python3-dbus")
	}
	desk := sit(t)
	w := daemontest.StartKWallet(t, desk)
	k := newKeyring(t)
	key := keyring.Key{Service: "Maestral", User: "config:maestral:dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc"}
	for round := range 10 {
		ours := fmt.Sprintf("ours-%d-%s", round, strings.Repeat("é\n", round))
		must(t, k.Set(bounded(t), key, secret.New(ours), keyring.NoPrompt))
		if got := runPython(t, desk, "get", key, ""); got != "value "+ours {
			t.Fatalf("round %d: Python reads %q, want %q", round, got, ours)
		}
		theirs := fmt.Sprintf("theirs-%d", round)
		runPython(t, desk, "set", key, theirs)
		got, err := k.Get(bounded(t), key, keyring.NoPrompt)
		if err != nil || got.Reveal() != theirs {
			t.Fatalf("round %d: Get = %q, %v; want %q", round, got.Reveal(), err, theirs)
		}
		if entries := w.Entries(t, "Maestral"); len(entries) != 1 || entries[0] != key.User {
			t.Fatalf("round %d: entries %q, want one", round, entries)
		}
	}
	must(t, k.Delete(bounded(t), key, keyring.NoPrompt))
	if got := runPython(t, desk, "get", key, ""); got != "none" {
		t.Errorf("Python reads %q after our Delete", got)
	}
	runPython(t, desk, "set", key, "once more")
	runPython(t, desk, "delete", key, "")
	_, err := k.Get(bounded(t), key, keyring.NoPrompt)
	wantError(t, "Get after Python's delete", err, keyring.ErrNotFound, "")
}
