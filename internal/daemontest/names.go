package daemontest

import (
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// Connect returns a connection to the desk's bus, closed with the test.
func (d *Desk) Connect(tb testing.TB) *dbus.Conn {
	tb.Helper()
	conn, err := dbus.Connect(d.Address)
	if err != nil {
		tb.Fatalf("could not reach the bus of the desk: %v", err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return conn
}

// WaitForName returns once somebody owns name on the bus.
func WaitForName(tb testing.TB, conn *dbus.Conn, name string) { waitForName(tb, conn, name, true) }

// WaitForNoName returns once nobody owns name on the bus.
func WaitForNoName(tb testing.TB, conn *dbus.Conn, name string) { waitForName(tb, conn, name, false) }

func waitForName(tb testing.TB, conn *dbus.Conn, name string, want bool) {
	tb.Helper()
	match := []dbus.MatchOption{
		dbus.WithMatchInterface("org.freedesktop.DBus"),
		dbus.WithMatchMember("NameOwnerChanged"),
		dbus.WithMatchArg(0, name),
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	defer conn.RemoveSignal(signals)
	if err := conn.AddMatchSignal(match...); err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.RemoveMatchSignal(match...) }()
	deadline := time.After(30 * time.Second)
	for {
		var owned bool
		if err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, name).Store(&owned); err != nil {
			tb.Fatal(err)
		}
		if owned == want {
			return
		}
		select {
		case <-signals:
		case <-deadline:
			tb.Fatalf("waited 30 s for %s to be owned: %v", name, want)
		}
	}
}
