package sessionbus_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/sessionbus"
)

// runtimeDir returns a folder whose path is short enough for a socket.
func runtimeDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func listen(t *testing.T, name string) net.Listener {
	listener, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func TestAddress(t *testing.T) {
	dir := runtimeDir(t)
	withBus := runtimeDir(t)
	listen(t, filepath.Join(withBus, "bus"))
	odd := filepath.Join(runtimeDir(t), "a, b;c%")
	if err := os.Mkdir(odd, 0o700); err != nil {
		t.Fatal(err)
	}
	listen(t, filepath.Join(odd, "bus"))

	for _, test := range []struct{ name, address, runtime, want string }{
		{"variable", "unix:path=/x", withBus, "unix:path=/x"},
		{"list", "unix:path=/x;unix:path=/y", "", "unix:path=/x;unix:path=/y"},
		{"runtime folder", "", withBus, "unix:path=" + withBus + "/bus"},
		{"autolaunch gives way", "autolaunch:", withBus, "unix:path=" + withBus + "/bus"},
		{"autolaunch in a list", "autolaunch:scope=x;unix:path=/x", "", "unix:path=/x"},
		{"name to be escaped", "", odd, "unix:path=" + filepath.Dir(odd) + "/a%2c%20b%3bc%25/bus"},
		{"nothing", "", "", ""},
		{"autolaunch only", "autolaunch:", "", ""},
		{"no socket there", "", dir, ""},
		{"relative runtime folder", "", "run", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("DBUS_SESSION_BUS_ADDRESS", test.address)
			t.Setenv("XDG_RUNTIME_DIR", test.runtime)
			got, err := sessionbus.Address()
			if got != test.want {
				t.Errorf("Address() = %q, want %q", got, test.want)
			}
			if test.want == "" && !errors.Is(err, sessionbus.ErrNoBus) {
				t.Errorf("Address() error = %v, want ErrNoBus", err)
			}
		})
	}
}

func TestAddressRefusesWhatIsNoSocket(t *testing.T) {
	dir := runtimeDir(t)
	if err := os.WriteFile(filepath.Join(dir, "bus"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", dir)
	if got, err := sessionbus.Address(); err == nil || errors.Is(err, sessionbus.ErrNoBus) {
		t.Errorf("Address() = %q, %v, want an error of its own", got, err)
	}
}

func TestConnect(t *testing.T) {
	desk := daemontest.NewDesk(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", desk.Address)
	conn, err := sessionbus.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var names []string
	if err := conn.BusObject().Call("org.freedesktop.DBus.ListNames", 0).Store(&names); err != nil {
		t.Fatal(err)
	}
	if len(names) < 2 {
		t.Errorf("ListNames() = %q", names)
	}
	desk.StopBus(t)
	select {
	case <-conn.Context().Done():
	case <-time.After(10 * time.Second):
		t.Error("the end of the bus went unnoticed")
	}
}

func TestConnectTakesTheNextAddress(t *testing.T) {
	desk := daemontest.NewDesk(t)
	conn, err := sessionbus.ConnectTo(t.Context(), "unix:path=/nowhere;tcp:host=localhost,port=1;"+desk.Address)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestConnectRefuses(t *testing.T) {
	for _, address := range []string{
		"", "unix", "unix:", "unix:path=", "unix:path=%zz", "unix:guid=1", "tcp:host=localhost,port=1",
		"unixexec:path=/bin/false", "autolaunch:", "launchd:env=X", "unix:path=/nowhere",
	} {
		conn, err := sessionbus.ConnectTo(t.Context(), address)
		if err == nil {
			_ = conn.Close()
			t.Errorf("ConnectTo(%q) succeeded", address)
		}
	}
}

// A bus that is stopped still takes connections: its kernel does.
func TestConnectIsBoundedByItsContext(t *testing.T) {
	socket := filepath.Join(runtimeDir(t), "bus")
	listen(t, socket)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := sessionbus.ConnectTo(ctx, "unix:path="+socket)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ConnectTo = %v, want the deadline", err)
	}
}

// A peer that speaks the authentication and then announces a huge message, or
// none that is D-Bus, ends the connection and fills no memory.
func TestHostileBus(t *testing.T) {
	huge := make([]byte, 16)
	huge[0], huge[1], huge[3] = 'l', 2, 1
	binary.LittleEndian.PutUint32(huge[4:], 1<<26)
	for name, message := range map[string][]byte{
		"too long": huge, "not D-Bus": []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), "short": {'l', 2},
	} {
		t.Run(name, func(t *testing.T) {
			socket := filepath.Join(runtimeDir(t), "bus")
			listener := listen(t, socket)
			go func() {
				peer, err := listener.Accept()
				if err != nil {
					return
				}
				defer peer.Close()
				buf := make([]byte, 4096)
				var seen string
				for answered := 0; !strings.Contains(seen, "BEGIN\r\n"); {
					n, err := peer.Read(buf)
					if err != nil {
						return
					}
					seen += string(buf[:n])
					if answered == 0 && strings.Contains(seen, "AUTH\r\n") {
						_, _ = peer.Write([]byte("REJECTED EXTERNAL\r\n"))
						answered = 1
					}
					if answered == 1 && strings.Contains(seen, "AUTH EXTERNAL") {
						_, _ = peer.Write([]byte("OK 0123456789abcdef0123456789abcdef\r\n"))
						answered = 2
					}
				}
				_, _ = peer.Write(message)
			}()
			if conn, err := sessionbus.ConnectTo(t.Context(), "unix:path="+socket); err == nil {
				_ = conn.Close()
				t.Error("ConnectTo succeeded")
			}
		})
	}
}

// TestStartsNoBus lets a dbus-launch be found that would leave a mark.
func TestStartsNoBus(t *testing.T) {
	dir := runtimeDir(t)
	mark := filepath.Join(dir, "mark")
	script := "#!/bin/sh\n: > " + mark + "\n"
	if err := os.WriteFile(filepath.Join(dir, "dbus-launch"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("DISPLAY", ":0")
	t.Setenv("XDG_RUNTIME_DIR", dir)
	for _, address := range []string{"", "autolaunch:"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		if _, err := sessionbus.Connect(t.Context()); !errors.Is(err, sessionbus.ErrNoBus) {
			t.Errorf("Connect = %v, want ErrNoBus", err)
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("dbus-launch was called")
	}
}
