package secretservice_test

import (
	"errors"
	"testing"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/secretservice"
)

// onDesk is the Secret Service on the bus of a desk.
func onDesk(d *daemontest.Desk, opts ...secretservice.Option) *secretservice.Keyring {
	address := func() (string, error) { return d.Address, nil }
	return secretservice.New(append([]secretservice.Option{secretservice.WithBusAddress(address)}, opts...)...)
}

// providers are the programs that people have as their Secret Service.
var providers = []struct {
	name    string // as a probe reports it
	program string
	start   func(testing.TB, *daemontest.Desk)
}{
	{"GNOME Keyring", "gnome-keyring-daemon", func(tb testing.TB, d *daemontest.Desk) { daemontest.StartGNOME(tb, d) }},
	{"KeePassXC", "keepassxc", func(tb testing.TB, d *daemontest.Desk) { daemontest.StartKeePassXC(tb, d) }},
	{"KWallet (Secret Service)", "kwalletd5", func(tb testing.TB, d *daemontest.Desk) {
		daemontest.StartKWallet(tb, d, daemontest.WithSecretService())
	}},
}

func TestConformance(t *testing.T) {
	for _, provider := range providers {
		t.Run(provider.name, func(t *testing.T) {
			desk := daemontest.NewDesk(t)
			behind := matrix.Behind{
				How: matrix.Daemon, Name: provider.name,
				Version: matrix.Version(t, desk.Environ(), provider.program, "--version"),
			}
			provider.start(t, desk)
			// kwalletd5 counts an open wallet as locked until the first
			// program has had it unlocked, about which it asks nobody.
			if _, err := onDesk(desk).Get(t.Context(), keyring.Key{Service: "any", User: "any"}, keyring.AskUser); !errors.Is(err, keyring.ErrNotFound) {
				t.Fatalf("the first Get: %v", err)
			}
			matrix.Run(t, behind, func(*testing.T) keyring.Keyring { return onDesk(desk) })
			if got := onDesk(desk).Probe(t.Context()).Name; got != provider.name {
				t.Errorf("Probe().Name = %q, want %q", got, provider.name)
			}
		})
	}
}
