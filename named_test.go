package authring_test

import (
	"errors"
	"testing"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
)

// TestNamedKeyrings are used where they are named, and never chosen.
func TestNamedKeyrings(t *testing.T) {
	w := newWorld(t)
	named := keyringtest.NewMemory("helper:test")
	find := authring.WithNamedKeyrings(func(id keyring.ID) (keyring.Keyring, bool) { return named, id == named.ID() })
	if choice, err := w.open(t, "x", find).ChooseKeyring(t.Context()); err != nil || choice.Keyring.ID() == named.ID() {
		t.Errorf("ChooseKeyring = %v, %v", choice.Keyring, err)
	}
	w.link(t, "x", find, authring.WithKeyring(named.ID()))
	s := w.open(t, "x", find)
	if k, err := s.Keyring(t.Context()); err != nil || k.ID() != named.ID() {
		t.Errorf("Keyring = %v, %v", k, err)
	}
	if err := s.Load(t.Context()); err != nil {
		t.Error(err)
	}
	// Where they are not found, the link says so and stays.
	var access *authring.KeyringAccessError
	if err := w.open(t, "x").Load(t.Context()); !errors.As(err, &access) || !errors.Is(err, keyring.ErrAbsent) {
		t.Errorf("Load without them = %v", err)
	}
	if moved, err := w.open(t, "x", find).Migrate(t.Context(), keyring.SecretService); err != nil || moved.From != named.ID() {
		t.Errorf("Migrate = %+v, %v", moved, err)
	}
	if moved, err := w.open(t, "x", find).Migrate(t.Context(), named.ID()); err != nil || moved.To != named.ID() {
		t.Errorf("Migrate back = %+v, %v", moved, err)
	}
}

// TestOnlyWhatTheRecordCanName is chosen: Maestral has no sealed file.
func TestOnlyWhatTheRecordCanName(t *testing.T) {
	w := newWorld(t)
	keyrings := authring.WithKeyrings(keyringtest.NewMemory(keyring.Sealed), w.plain)
	for app, want := range map[string]keyring.ID{"authring": keyring.Sealed, "Maestral": keyring.Plaintext} {
		choice, err := w.open(t, "x", keyrings, authring.WithApp(app)).ChooseKeyring(t.Context())
		if err != nil || choice.Keyring.ID() != want {
			t.Errorf("%s: ChooseKeyring = %v, %v; want %s", app, choice.Keyring, err, want)
		}
	}
}
