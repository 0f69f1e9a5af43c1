package daemontest

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/needs"
)

// The bus name and the paths of the Secret Service specification.
const (
	SecretsName  = "org.freedesktop.secrets"
	secretsPath  = dbus.ObjectPath("/org/freedesktop/secrets")
	secretsCalls = "org.freedesktop.Secret.Service."
)

// GNOMEPassword opens the keyring of [StartGNOME].
const GNOMEPassword = "keyring-password"

// GNOME is gnome-keyring-daemon on a desk.
type GNOME struct {
	desk *Desk
	bus  *dbus.Conn
	cmd  *exec.Cmd
}

// StartGNOME starts gnome-keyring with a keyring of the login that is open.
func StartGNOME(tb testing.TB, d *Desk) *GNOME {
	tb.Helper()
	g := newGNOME(tb, d)
	g.StartUnlocked(tb)
	return g
}

// StartEmptyGNOME starts gnome-keyring as on a first day without a login
// screen: it has no keyring at all.
func StartEmptyGNOME(tb testing.TB, d *Desk) *GNOME {
	tb.Helper()
	g := newGNOME(tb, d)
	g.StartLocked(tb)
	return g
}

func newGNOME(tb testing.TB, d *Desk) *GNOME {
	tb.Helper()
	needs.Programs(tb, "gnome-keyring-daemon")
	return &GNOME{desk: d, bus: d.Connect(tb)}
}

// StartUnlocked starts the daemon as a login does, with the password.
func (g *GNOME) StartUnlocked(tb testing.TB) {
	tb.Helper()
	g.start(tb, GNOMEPassword, "--unlock")
}

// StartLocked starts the daemon as the bus does, without the password.
func (g *GNOME) StartLocked(tb testing.TB) {
	tb.Helper()
	g.start(tb, "", "--start")
}

func (g *GNOME) start(tb testing.TB, stdin, how string) {
	tb.Helper()
	g.cmd = g.desk.Command("gnome-keyring-daemon", how, "--foreground", "--components=secrets")
	// Byte for byte: a line break would be part of the password.
	g.cmd.Stdin = strings.NewReader(stdin)
	start(tb, g.cmd)
	WaitForName(tb, g.bus, SecretsName)
}

// PID is the number of the daemon's process.
func (g *GNOME) PID() int { return g.cmd.Process.Pid }

// Stop kills the daemon, without a chance to say goodbye.
func (g *GNOME) Stop(tb testing.TB) {
	tb.Helper()
	stop(g.cmd)
	WaitForNoName(tb, g.bus, SecretsName)
}

// Lock locks the keyring, as a desktop does when its user asks for it.
func (g *GNOME) Lock(tb testing.TB) {
	tb.Helper()
	collection := DefaultCollection(tb, g.bus)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var locked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	err := g.bus.Object(SecretsName, secretsPath).
		CallWithContext(ctx, secretsCalls+"Lock", 0, []dbus.ObjectPath{collection}).Store(&locked, &prompt)
	if err != nil || len(locked) != 1 {
		tb.Fatalf("gnome-keyring locked %q: %v", locked, err)
	}
}

// Unlock unlocks the keyring as its own programs do, without a question.
func (g *GNOME) Unlock(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	service := g.bus.Object(SecretsName, secretsPath)
	var output dbus.Variant
	var session dbus.ObjectPath
	err := service.CallWithContext(ctx, secretsCalls+"OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&output, &session)
	if err == nil {
		password := struct {
			Session           dbus.ObjectPath
			Parameters, Value []byte
			ContentType       string
		}{session, []byte{}, []byte(GNOMEPassword), "text/plain"}
		// The login keyring has no alias while nobody has unlocked it.
		login := secretsPath + "/collection/login"
		err = service.CallWithContext(ctx, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.UnlockWithMasterPassword", 0, login, password).Err
	}
	if err != nil {
		tb.Fatalf("gnome-keyring did not unlock: %v", err)
	}
}

// DefaultCollection asks the Secret Service on conn for its default
// collection; "/" is none.
func DefaultCollection(tb testing.TB, conn *dbus.Conn) dbus.ObjectPath {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var path dbus.ObjectPath
	err := conn.Object(SecretsName, secretsPath).
		CallWithContext(ctx, secretsCalls+"ReadAlias", 0, "default").Store(&path)
	if err != nil {
		tb.Fatalf("could not read the alias of the default collection: %v", err)
	}
	return path
}
