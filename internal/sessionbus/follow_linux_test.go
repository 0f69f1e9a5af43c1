package sessionbus_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/sessionbus"
)

// A bus that is not there yet is not looked for again and again: the system
// tells of its socket, and of the folders on the way to it.
func TestFollowDoesNotPoll(t *testing.T) {
	desk := daemontest.NewDesk(t)
	socket, _, _ := strings.Cut(strings.TrimPrefix(desk.Address, "unix:path="), ",")
	root := runtimeDir(t)
	for name, steps := range map[string]struct{ before, after func(place string) error }{
		"no socket":  {func(place string) error { return os.MkdirAll(place, 0o700) }, nil},
		"no folders": {nil, func(place string) error { return os.MkdirAll(place, 0o700) }},
		"a folder that goes and comes": {
			func(place string) error { return os.MkdirAll(place, 0o700) },
			func(place string) error { return errors.Join(os.Remove(place), os.Mkdir(place, 0o700)) },
		},
		"a socket that was left": {
			func(place string) error {
				err := os.MkdirAll(place, 0o700)
				listener, listening := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(place, "bus")})
				if listening != nil {
					return listening
				}
				listener.SetUnlinkOnClose(false)
				return errors.Join(err, listener.Close())
			},
			func(place string) error { return os.Remove(filepath.Join(place, "bus")) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			sessionbus.Patience(t)
			place := filepath.Join(root, strings.ReplaceAll(name, " ", "-"), "run")
			t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
			t.Setenv("XDG_RUNTIME_DIR", place)
			if steps.before != nil {
				if err := steps.before(place); err != nil {
					t.Fatal(err)
				}
			}
			calls, _, _ := follow(t)
			if steps.after != nil {
				if err := steps.after(place); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink(socket, filepath.Join(place, "bus")); err != nil {
				t.Fatal(err)
			}
			wantCall(t, calls, "the bus is there")
		})
	}
}
