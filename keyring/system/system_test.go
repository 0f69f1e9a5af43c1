//go:build linux

package system_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/system"
)

// sit puts this process at a new desk.
func sit(t *testing.T, desktop string) *daemontest.Desk {
	t.Helper()
	desk := daemontest.NewDesk(t)
	for name, value := range map[string]string{
		"HOME": desk.Home, "XDG_RUNTIME_DIR": desk.Runtime, "DBUS_SESSION_BUS_ADDRESS": desk.Address,
		"CREDENTIALS_DIRECTORY": "", "AUTHRING_IDENTITY_FILE": "", "AUTHRING_KEY_FILE": "", "AUTHRING_PASSPHRASE_FILE": "",
		"XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "XDG_CURRENT_DESKTOP": desktop, "KDE_FULL_SESSION": "",
	} {
		t.Setenv(name, value)
	}
	return desk
}

// addKey sets up a key for the sealed file.
func addKey(t *testing.T, d *daemontest.Desk) {
	t.Helper()
	key := filepath.Join(d.Home, "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AUTHRING_KEY_FILE", key)
}

// TestFind: what is named is found, and nothing of it is in the list.
func TestFind(t *testing.T) {
	if k, ok := system.Find("helper:pass"); !ok || k.ID() != "helper:pass" {
		t.Errorf("Find = %v, %v", k, ok)
	}
	for _, id := range []keyring.ID{"", "helper:", "helper:../x", keyring.Sealed, keyring.Plaintext} {
		if k, ok := system.Find(id); ok || k != nil {
			t.Errorf("Find(%q) = %v, %v", id, k, ok)
		}
	}
}

func TestOrder(t *testing.T) {
	var ids []keyring.ID
	for _, k := range system.Keyrings() {
		ids = append(ids, k.ID())
	}
	if got := fmt.Sprint(ids); got != "[secret-service kwallet sealed plaintext]" {
		t.Errorf("order: %s", got)
	}
}

// TestChoice: what is chosen on real desks, and that to choose leaves nothing
// behind.
func TestChoice(t *testing.T) {
	gnome := func(t *testing.T, d *daemontest.Desk) { daemontest.StartGNOME(t, d) }
	wallet := func(opts ...daemontest.KWalletOption) func(*testing.T, *daemontest.Desk) {
		return func(t *testing.T, d *daemontest.Desk) { daemontest.StartKWallet(t, d, opts...) }
	}
	both := func(t *testing.T, d *daemontest.Desk) { gnome(t, d); wallet()(t, d) }
	for name, c := range map[string]struct {
		desktop string
		start   func(*testing.T, *daemontest.Desk)
		want    keyring.ID
		passed  int
	}{
		"GNOME":                       {"GNOME", gnome, keyring.SecretService, 0},
		"GNOME with KWallet":          {"GNOME", both, keyring.SecretService, 0},
		"KDE":                         {"KDE", wallet(daemontest.WithSecretService()), keyring.SecretService, 0},
		"KDE without Secret Service":  {"KDE", wallet(), keyring.KWallet, 0},
		"KDE with GNOME Keyring":      {"KDE", both, keyring.KWallet, 0},
		"KWallet outside KDE, closed": {"XFCE", wallet(daemontest.WithClosedWallet()), keyring.KWallet, 1},
		"nothing":                     {"", func(*testing.T, *daemontest.Desk) {}, keyring.Plaintext, 3},
		"a key for the sealed file":   {"", func(t *testing.T, d *daemontest.Desk) { addKey(t, d) }, keyring.Sealed, 2},
		"GNOME, and such a key":       {"GNOME", func(t *testing.T, d *daemontest.Desk) { addKey(t, d); gnome(t, d) }, keyring.SecretService, 0},
	} {
		t.Run(name, func(t *testing.T) {
			desk := sit(t, c.desktop)
			c.start(t, desk)
			choice, err := keyring.Choose(t.Context(), system.Keyrings())
			if err != nil {
				t.Fatal(err)
			}
			if choice.Keyring.ID() != c.want || len(choice.Passed) != c.passed {
				t.Errorf("chosen: %s (%v), passed over: %v; want %s, %d", choice.Keyring.ID(), choice.Status, choice.Passed, c.want, c.passed)
			}
			for _, p := range choice.Passed {
				if p.Status.Detail == "" {
					t.Errorf("%s was passed over without a reason", p.Keyring.ID())
				}
			}
			for _, name := range []string{"python_keyring", "authring"} {
				if _, err := os.Stat(desk.Home + "/.local/share/" + name); !os.IsNotExist(err) {
					t.Errorf("to choose made the folder %s", name)
				}
			}
		})
	}
}
