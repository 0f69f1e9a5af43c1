package keychain_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keychain"
	"github.com/authring/authring/secret"
)

// password is that of the tests' own keychain.
const password = "authring-test"

// tool runs /usr/bin/security, and returns what it printed.
func tool(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/bin/security", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("security %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

// paths are those of a list that security prints, each quoted on a line.
func paths(printed string) (found []string) {
	for line := range strings.Lines(printed) {
		if path := strings.Trim(strings.TrimSpace(line), `"`); path != "" {
			found = append(found, path)
		}
	}
	return found
}

// ownKeychain makes a keychain, open and empty, the default one for the time of
// a test. It changes settings of this user: it is for machines that are there
// for tests, which say so with AUTHRING_TEST_KEYCHAIN=1.
func ownKeychain(t *testing.T) (path string) {
	t.Helper()
	if os.Getenv("AUTHRING_TEST_KEYCHAIN") != "1" {
		t.Skip("it changes the default keychain for a while: set AUTHRING_TEST_KEYCHAIN=1")
	}
	path = filepath.Join(t.TempDir(), "authring-test.keychain-db")
	searched := paths(tool(t, "list-keychains", "-d", "user"))
	out, err := exec.Command("/usr/bin/security", "default-keychain", "-d", "user").Output()
	before := paths(string(out))
	if err != nil || len(before) != 1 {
		t.Logf("there was no default keychain: %v %s", err, out)
	}
	tool(t, "create-keychain", "-p", password, path)
	t.Cleanup(func() {
		tool(t, append([]string{"list-keychains", "-d", "user", "-s"}, searched...)...)
		if len(before) == 1 {
			tool(t, "default-keychain", "-d", "user", "-s", before[0])
		}
		if _, err := os.Stat(path); err == nil {
			tool(t, "delete-keychain", path)
		}
	})
	tool(t, "set-keychain-settings", path) // no locking by itself
	tool(t, append([]string{"list-keychains", "-d", "user", "-s", path}, searched...)...)
	tool(t, "default-keychain", "-d", "user", "-s", path)
	tool(t, "unlock-keychain", "-p", password, path)
	return path
}

func TestConformanceOnMacOS(t *testing.T) {
	ownKeychain(t)
	matrix.Run(t, matrix.Behind{How: matrix.System, Name: "Keychain"}, func(*testing.T) keyring.Keyring { return keychain.New() })
}

// TestLockedOnMacOS: names can be read of a locked keychain; an item is still
// not said to be missing, and nobody is asked.
func TestLockedOnMacOS(t *testing.T) {
	path := ownKeychain(t)
	k := keychain.New()
	if err := k.Set(t.Context(), testKey, secret.New("before"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	tool(t, "lock-keychain", path)
	for op, call := range calls(k, keyring.NoPrompt) {
		refused(t, op, call(t.Context()), keyring.ErrLocked, "it is locked")
	}
	_, err := k.Get(t.Context(), keyring.Key{Service: testKey.Service, User: "never"}, keyring.NoPrompt)
	refused(t, "Get of nothing", err, keyring.ErrLocked, "it is locked")
	if status := k.Probe(t.Context()); status.Availability != keyring.Locked {
		t.Errorf("Probe = %+v, want locked", status)
	}
	tool(t, "unlock-keychain", "-p", password, path)
	want(t, k, "before")
}

// TestTheSecurityTool finds our item by the names that Python's keyring library
// gives it, and there is one of it, however often it is written.
func TestTheSecurityTool(t *testing.T) {
	path := ownKeychain(t)
	k := keychain.New()
	for _, value := range []string{"first", "second"} {
		if err := k.Set(t.Context(), testKey, secret.New(value), keyring.NoPrompt); err != nil {
			t.Fatal(err)
		}
	}
	tool(t, "find-generic-password", "-s", testKey.Service, "-a", testKey.User, path)
	if n := strings.Count(tool(t, "dump-keychain", path), testKey.User); n != 1 {
		t.Errorf("the keychain names the account %d times, want once", n)
	}
}

// TestAnItemOfTheSecurityTool is not for us: nothing is asked, and the answer
// comes at once.
func TestAnItemOfTheSecurityTool(t *testing.T) {
	path := ownKeychain(t)
	tool(t, "add-generic-password", "-s", testKey.Service, "-a", testKey.User, "-w", "theirs", "-T", "/usr/bin/security", path)
	k := keychain.New()
	_, err := k.Get(t.Context(), testKey, keyring.NoPrompt)
	refused(t, "Get", err, keyring.ErrLocked, "has to ask its user first")
}

// TestNoDefaultKeychain: what cannot be seen is not missing.
func TestNoDefaultKeychain(t *testing.T) {
	path := ownKeychain(t)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	k := keychain.New()
	_, err := k.Get(t.Context(), testKey, keyring.NoPrompt)
	refused(t, "Get", err, keyring.ErrUnavailable, "")
	if status := k.Probe(t.Context()); status.Availability != keyring.Unavailable {
		t.Errorf("Probe = %+v, want unavailable", status)
	}
}
