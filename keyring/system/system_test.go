//go:build linux

package system_test

import (
	"fmt"
	"os"
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
		"XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "XDG_CURRENT_DESKTOP": desktop, "KDE_FULL_SESSION": "",
	} {
		t.Setenv(name, value)
	}
	return desk
}

func TestOrder(t *testing.T) {
	var ids []keyring.ID
	for _, k := range system.Keyrings() {
		ids = append(ids, k.ID())
	}
	if got := fmt.Sprint(ids); got != "[secret-service kwallet plaintext]" {
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
		"nothing":                     {"", func(*testing.T, *daemontest.Desk) {}, keyring.Plaintext, 2},
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
			if _, err := os.Stat(desk.Home + "/.local/share/python_keyring"); !os.IsNotExist(err) {
				t.Error("to choose made a folder")
			}
		})
	}
}
