//go:build linux

package keychain_test

import (
	"testing"

	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keychain"
	"github.com/authring/authring/keyring/keychain/internal/security"
	"github.com/authring/authring/keyring/keychain/internal/standin"
	"github.com/authring/authring/secret"
)

// TestConformanceThroughC runs what a Mac runs, but for the frameworks.
func TestConformanceThroughC(t *testing.T) {
	path := standin.Build(t)
	l, err := security.Load(path, path)
	if err != nil {
		t.Fatal(err)
	}
	open := keychain.Open(l)
	matrix.Run(t, matrix.Behind{How: matrix.Fake, Name: "stand-in for macOS' frameworks, in C"}, func(*testing.T) keyring.Keyring { return open() })
}

func TestOnlyOnMacOS(t *testing.T) {
	k := keychain.New()
	_, err := k.Get(t.Context(), testKey, keyring.AskUser)
	refused(t, "Get", err, keyring.ErrAbsent, "only macOS")
	refused(t, "Set", k.Set(t.Context(), testKey, secret.New("x"), keyring.AskUser), keyring.ErrAbsent, "only macOS")
	refused(t, "Delete", k.Delete(t.Context(), testKey, keyring.AskUser), keyring.ErrAbsent, "only macOS")
	refused(t, "Unlock", k.Unlock(t.Context(), keyring.AskUser), keyring.ErrAbsent, "only macOS")
	if status := k.Probe(t.Context()); status.Availability != keyring.Absent || status.Detail == "" {
		t.Errorf("Probe = %+v", status)
	}
}
