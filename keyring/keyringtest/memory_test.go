package keyringtest_test

import (
	"errors"
	"testing"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/secret"
)

func TestMemoryPassesTheSuite(t *testing.T) {
	m := keyringtest.NewMemory("memory")
	keyringtest.Run(t, func(*testing.T) keyring.Keyring { return m })
	if left := m.Items(); len(left) != 0 {
		t.Errorf("the suite left %d items behind", len(left))
	}
}

func TestMemoryFailsAsTold(t *testing.T) {
	m := keyringtest.NewMemory("memory")
	key := keyring.Key{Service: "s", User: "u"}
	m.Fail(keyring.ErrLocked)
	if err := m.Set(t.Context(), key, secret.New("x"), keyring.NoPrompt); !errors.Is(err, keyring.ErrLocked) {
		t.Errorf("Set = %v, want ErrLocked", err)
	}
	if got := m.Probe(t.Context()).Availability; got != keyring.Locked {
		t.Errorf("Probe = %v, want locked", got)
	}
	m.Fail(nil)
	refuse := errors.New("refused")
	m.Before(func(op string, _ keyring.Key) error {
		if op == "write" {
			return refuse
		}
		return nil
	})
	if err := m.Set(t.Context(), key, secret.New("x"), keyring.NoPrompt); !errors.Is(err, refuse) {
		t.Errorf("Set = %v, want the hook's error", err)
	}
	if len(m.Items()) != 0 {
		t.Error("a refused write left an item")
	}
}
