package helper_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/helper"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/secret"
)

func open(t *testing.T, name string) *helper.Keyring {
	t.Helper()
	k, err := helper.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestSecretService: Docker's own helper, on a bus with GNOME Keyring.
func TestSecretService(t *testing.T) {
	needs.Programs(t, "docker-credential-secretservice")
	desk := daemontest.NewDesk(t)
	daemontest.StartGNOME(t, desk)
	t.Setenv("HOME", desk.Home)
	t.Setenv("XDG_RUNTIME_DIR", desk.Runtime)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", desk.Address)
	behind := matrix.Behind{
		How: matrix.Program, Name: "docker-credential-secretservice and GNOME Keyring",
		Version: matrix.Version(t, nil, "docker-credential-secretservice", "version"),
	}
	matrix.Run(t, behind, func(t *testing.T) keyring.Keyring { return open(t, "secretservice") }, keyringtest.WithLargest(40<<10))

	desk.StopBus(t)
	if _, err := open(t, "secretservice").Get(t.Context(), testKey("a"), keyring.NoPrompt); !errors.Is(err, keyring.ErrUnavailable) {
		t.Errorf("Get without a bus = %v, want ErrUnavailable", err)
	}
}

// newPass makes a password store, with a key that has this passphrase.
func newPass(t *testing.T, passphrase string) {
	t.Helper()
	needs.Programs(t, "docker-credential-pass", "pass", "gpg", "gpgconf")
	// The agent's socket has a short path; the test's own folder has not.
	home, err := os.MkdirTemp("", "pass")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	gnupg := filepath.Join(home, "gnupg")
	if err := os.Mkdir(gnupg, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("GNUPGHOME", gnupg)
	t.Setenv("PASSWORD_STORE_DIR", filepath.Join(home, "store"))
	t.Cleanup(func() { stopAgent(t, gnupg) })
	run(t, "gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase, "--quick-generate-key", "somebody@example.org", "default", "default", "never")
	run(t, "pass", "init", "somebody@example.org")
}

// stopAgent makes gpg forget the passphrases that it knows.
func stopAgent(t *testing.T, gnupg string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "gpgconf", "--homedir", gnupg, "--kill", "gpg-agent")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("gpgconf: %v: %s", err, out)
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}

func TestPass(t *testing.T) {
	newPass(t, "")
	behind := matrix.Behind{
		How: matrix.Program, Name: "docker-credential-pass",
		Version: matrix.Version(t, nil, "docker-credential-pass", "version"),
	}
	matrix.Run(t, behind, func(t *testing.T) keyring.Keyring { return open(t, "pass") }, keyringtest.WithLargest(40<<10))

	// What is in the store are names fit for files, and nothing outside.
	if err := open(t, "pass").Set(t.Context(), testKey("../../../escaped"), secret.New("v"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(os.Getenv("PASSWORD_STORE_DIR"), "docker-credential-helpers")
	found, err := filepath.Glob(filepath.Join(store, "*", "%2E.%2F..%2F..%2Fescaped.gpg"))
	if err != nil || len(found) != 1 {
		t.Errorf("in the store: %q, %v", found, err)
	}
}

// TestPassLocked: gpg needs a passphrase, and nobody may be asked for it.
func TestPassLocked(t *testing.T) {
	newPass(t, "a passphrase")
	k := open(t, "pass")
	if err := k.Set(t.Context(), testKey("a"), secret.New("value"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	stopAgent(t, os.Getenv("GNUPGHOME"))
	_, err := k.Get(t.Context(), testKey("a"), keyring.NoPrompt)
	if !errors.Is(err, keyring.ErrLocked) || strings.Contains(err.Error(), "value") {
		t.Errorf("Get = %v, want ErrLocked", err)
	}
	if err := k.Delete(t.Context(), testKey("a"), keyring.NoPrompt); !errors.Is(err, keyring.ErrLocked) {
		t.Errorf("Delete = %v, want ErrLocked", err)
	}
}
