package wincred_test

import (
	"strings"
	"testing"

	api "github.com/danieljoos/wincred"
	"golang.org/x/sys/windows"

	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/wincred"
)

// behind is what stands behind the keyrings of opener.
var behind = matrix.Behind{How: matrix.System, Name: "credential store"}

// opener returns how to open handles on one store: here, the one of Windows.
func opener(t *testing.T) func() *wincred.Keyring {
	return wincred.New
}

func underWine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

// TestAnotherProgramsCredential: what Windows' own tools store is read, and
// written in place.
func TestAnotherProgramsCredential(t *testing.T) {
	k := wincred.New()
	key := keyring.Key{Service: "authring-test-service", User: "somebody"}
	c := api.NewGenericCredential(key.Service)
	c.UserName, c.CredentialBlob, c.Persist = key.User, wincred.Encode("theirs ü"), api.PersistEnterprise
	if err := c.Write(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Delete() })
	want(t, k, key, "theirs ü")
	set(t, k, key, "ours")
	back, err := api.GetGenericCredential(key.Service)
	if err != nil || back.UserName != key.User || string(back.CredentialBlob) != string(wincred.Encode("ours")) || back.Persist != api.PersistLocalMachine {
		t.Errorf("stored: %q, persistence %v, %v", back.UserName, back.Persist, err)
	}
	if err := k.Delete(t.Context(), key, keyring.NoPrompt); err != nil {
		t.Error(err)
	}
	wantMissing(t, k, key)
}

// TestPartsInTheStore: a long secret takes the parts that it needs, and none
// is left of the one before.
func TestPartsInTheStore(t *testing.T) {
	k := wincred.New()
	key := keyring.Key{Service: "authring-test", User: "long"}
	parts := func() int {
		found, err := api.FilteredList("authring-part:*")
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	before := parts()
	for _, step := range []struct{ length, parts int }{
		{2 * wincred.BlobLimit, 2}, {10*wincred.BlobLimit + 1, 11}, {wincred.BlobLimit/2 + 1, 1}, {100, 0},
	} {
		set(t, k, key, strings.Repeat("x", step.length))
		if got := parts() - before; got != step.parts {
			t.Errorf("%d bytes take %d parts, want %d", step.length, got, step.parts)
		}
	}
	set(t, k, key, strings.Repeat("x", 5000))
	if err := k.Delete(t.Context(), key, keyring.NoPrompt); err != nil {
		t.Error(err)
	}
	if got := parts(); got != before {
		t.Errorf("%d parts are left", got-before)
	}
}
