// Package daemontest starts the real parts that tests talk to: a session bus
// of the test's own, and the keyring daemons that users run. Each runs in
// folders of its own and is ended with the test.
package daemontest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
)

// busConfig is a session bus on which nothing can be started by a call:
// no test gets a daemon or a prompter that it did not start itself.
// %s: the folder of the socket, and optional <servicedir> elements.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=%s</listen>
  <auth>EXTERNAL</auth>
  %s
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// Desk is a private desktop session: a home, a runtime folder and a bus.
type Desk struct {
	Home    string // HOME
	Runtime string // XDG_RUNTIME_DIR
	Address string // DBUS_SESSION_BUS_ADDRESS
	bus     *exec.Cmd
}

// Option changes how a [Desk] is made.
type Option func(*options)

type options struct{ serviceDirs []string }

// WithServiceDir lets the bus start the services described in dir.
func WithServiceDir(dir string) Option {
	return func(o *options) { o.serviceDirs = append(o.serviceDirs, dir) }
}

// NewDesk starts a bus in folders of its own.
func NewDesk(tb testing.TB, opts ...Option) *Desk {
	tb.Helper()
	needs.Programs(tb, "dbus-daemon")
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	// Unix socket paths are short; the test's own temporary folder is not.
	root, err := os.MkdirTemp("", "desk")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(root) })
	d := &Desk{Home: filepath.Join(root, "home"), Runtime: filepath.Join(root, "run")}
	for _, dir := range []string{d.Home, d.Runtime} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			tb.Fatal(err)
		}
	}
	var services strings.Builder
	for _, dir := range o.serviceDirs {
		fmt.Fprintf(&services, "<servicedir>%s</servicedir>", dir)
	}
	config := filepath.Join(root, "bus.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, busConfig, d.Runtime, services.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	d.Address = d.startBus(tb, config)
	return d
}

// startBus starts a bus, and returns its address once it listens.
func (d *Desk) startBus(tb testing.TB, config string) string {
	tb.Helper()
	d.bus = exec.Command("dbus-daemon", "--config-file="+config, "--nofork", "--print-address=1")
	d.bus.Env = d.Environ()
	out, err := d.bus.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	start(tb, d.bus)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatalf("dbus-daemon printed no address: %v", err)
	}
	return strings.TrimSpace(line)
}

// Environ returns an environment for programs on this desk: nothing of the
// caller's but PATH, and extra variables as "NAME=value".
func (d *Desk) Environ(extra ...string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8",
		"HOME=" + d.Home, "XDG_RUNTIME_DIR=" + d.Runtime,
		// No program is to be left running.
		"AUTHRING_AGENT=off",
	}
	if d.Address != "" {
		env = append(env, "DBUS_SESSION_BUS_ADDRESS="+d.Address)
	}
	return append(env, extra...)
}

// Command returns a program on this desk, not yet started.
func (d *Desk) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = d.Environ()
	cmd.Dir = d.Home
	return cmd
}

// RestartBus ends the bus, and starts another one at the same address.
func (d *Desk) RestartBus(tb testing.TB) {
	tb.Helper()
	stop(d.bus)
	// Its identity, which it gives to itself, is another one.
	listen, _, _ := strings.Cut(d.Address, ",")
	socket, ok := strings.CutPrefix(listen, "unix:path=")
	if !ok {
		tb.Fatalf("the bus was at %q, which is no path", d.Address)
	}
	_ = os.Remove(socket)
	config := filepath.Join(filepath.Dir(d.Home), "next.conf")
	text := strings.Replace(fmt.Sprintf(busConfig, d.Runtime, ""), "unix:dir="+d.Runtime, listen, 1)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	d.Address = listen
	d.startBus(tb, config)
}

// StopBus ends the bus, as at a logout.
func (d *Desk) StopBus(tb testing.TB) {
	tb.Helper()
	stop(d.bus)
}

// start runs cmd in the background in a process group of its own, which is
// killed with the test.
func start(tb testing.TB, cmd *exec.Cmd) {
	tb.Helper()
	ownGroup(cmd)
	// A child that keeps the output open must not hold up the test's end.
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		tb.Fatalf("could not start %s: %v", cmd.Path, err)
	}
	tb.Cleanup(func() { stop(cmd) })
}

// stop kills the process group of cmd and waits for it; a second call does
// nothing.
func stop(cmd *exec.Cmd) {
	if cmd.Process == nil || cmd.ProcessState != nil {
		return
	}
	killGroup(cmd)
	_ = cmd.Wait()
}
