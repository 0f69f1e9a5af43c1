package sessionbus_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/sessionbus"
)

const followed = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.example.Late'"

// follow begins to follow, and returns how often it was called.
func follow(t *testing.T) (calls <-chan struct{}, ended <-chan struct{}, end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	called, done := make(chan struct{}, 100), make(chan struct{})
	go func() {
		defer close(done)
		sessionbus.Follow(ctx, sessionbus.Address, []string{followed}, func() { called <- struct{}{} })
	}()
	t.Cleanup(func() { cancel(); <-done })
	return called, done, cancel
}

func wantCall(t *testing.T, calls <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-calls:
	case <-time.After(30 * time.Second):
		t.Fatalf("no call: %s", what)
	}
}

func TestFollow(t *testing.T) {
	desk := daemontest.NewDesk(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", desk.Address)
	calls, ended, end := follow(t)
	wantCall(t, calls, "it listens")
	conn := desk.Connect(t)
	if _, err := conn.RequestName("org.example.Other", dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName("org.example.Late", dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	wantCall(t, calls, "the name has an owner")
	if len(calls) > 0 {
		t.Error("it is called for names that do not matter")
	}
	end()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("it does not end")
	}
}

// The bus ends, and another one takes its place, after the folder of the
// sockets did.
func TestFollowAnotherBus(t *testing.T) {
	first, second := daemontest.NewDesk(t), daemontest.NewDesk(t)
	place := filepath.Join(runtimeDir(t), "run")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", place)
	calls, _, _ := follow(t)
	if err := os.Mkdir(place, 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(desk *daemontest.Desk) {
		t.Helper()
		socket, _, _ := strings.Cut(strings.TrimPrefix(desk.Address, "unix:path="), ",")
		if err := os.Symlink(socket, filepath.Join(place, "bus")); err != nil {
			t.Fatal(err)
		}
	}
	put(first)
	wantCall(t, calls, "the bus is there")
	first.StopBus(t)
	if err := os.Remove(filepath.Join(place, "bus")); err != nil {
		t.Fatal(err)
	}
	put(second)
	wantCall(t, calls, "another bus is there")
}
