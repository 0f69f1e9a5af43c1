//go:build linux

package doctor_test

import (
	"os"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/doctor"
	"github.com/authring/authring/keyring"
)

var inPlaintext = authring.WithKeyring(keyring.Plaintext)

// shortFolder is one that sockets fit into.
func shortFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "doctor")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// serve is a Secret Service that answers in one way to everything.
func serve(t *testing.T, desk *daemontest.Desk, answer func() *dbus.Error) {
	t.Helper()
	conn := desk.Connect(t)
	methods := map[string]any{
		"ReadAlias": func(string) (dbus.ObjectPath, *dbus.Error) { return "/", answer() },
	}
	if err := conn.ExportMethodTable(methods, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName(daemontest.SecretsName, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
}

func TestSecretServiceThatIsSilent(t *testing.T) {
	desk := daemontest.NewDesk(t)
	w := newWard(t, desk)
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	serve(t, desk, func() *dbus.Error { <-end; return nil })
	report := w.examine(func(p *doctor.Patient) { p.Bound = 2 * time.Second })
	want(t, report, "collection-unknown", doctor.Fail, "did not answer")
}

func TestSecretServiceBehindAppArmor(t *testing.T) {
	desk := daemontest.NewDesk(t)
	w := newWard(t, desk)
	serve(t, desk, func() *dbus.Error {
		return dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"An AppArmor policy prevents this sender from sending this message to this recipient"})
	})
	want(t, w.examine(), "apparmor-denied", doctor.Fail, "journalctl")
	t.Setenv("SNAP", "/snap/authring/1")
	t.Setenv("SNAP_INSTANCE_NAME", "authring")
	report := w.examine()
	want(t, report, "snap", doctor.Note)
	want(t, report, "apparmor-denied", doctor.Fail, "snap connect authring:password-manager-service")
	t.Setenv("SNAP", "")
	t.Setenv("FLATPAK_ID", "org.example.App")
	report = w.examine()
	want(t, report, "flatpak", doctor.Note, "org.example.App")
	want(t, report, "apparmor-denied", doctor.Fail, "flatpak override")
}

// The sandbox of Flatpak denies by showing nothing.
func TestFlatpakHidesTheSecretService(t *testing.T) {
	desk := daemontest.NewDesk(t)
	w := newWard(t, desk)
	want(t, w.examine(), "secret-service-absent", doctor.Note)
	t.Setenv("FLATPAK_ID", "org.example.App")
	want(t, w.examine(), "flatpak-hidden", doctor.Warn, "flatpak override --user --talk-name=org.freedesktop.secrets org.example.App")
}

func TestSecretServiceWithoutAKeyring(t *testing.T) {
	desk := daemontest.NewDesk(t)
	w := newWard(t, desk)
	daemontest.StartEmptyGNOME(t, desk)
	want(t, w.examine(), "collection-absent", doctor.Warn, "seahorse")
}

func TestNoBus(t *testing.T) {
	w := newWard(t, nil)
	want(t, w.examine(), "bus-absent", doctor.Warn)
	dir := shortFolder(t)
	t.Setenv("XDG_RUNTIME_DIR", dir)
	if err := os.WriteFile(dir+"/bus", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, w.examine(), "bus-refused", doctor.Fail, "not a socket", "XDG_RUNTIME_DIR")
}
