package peer_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/authring/authring/internal/peer"
)

const role = "PEER_TEST_CONNECT"

func TestMain(m *testing.M) {
	if path := os.Getenv(role); path != "" {
		c, err := net.Dial("unix", path)
		if err != nil {
			os.Exit(1)
		}
		_, _ = c.Write([]byte("x"))
		_, _ = c.Read(make([]byte, 1)) // until it is told to end
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// The process at the other end is told while it lives, and known to be gone
// afterwards, whoever has its number then.
func TestPeer(t *testing.T) {
	dir, err := os.MkdirTemp("", "peer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	p, err := peer.Of(c.(*net.UnixConn))
	if err != nil || p.PID != cmd.Process.Pid || p.UID != os.Geteuid() {
		t.Errorf("the peer is %+v, %v; want process %d", p, err, cmd.Process.Pid)
	}
	if err := p.Alive(); err != nil {
		t.Errorf("Alive = %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.Executable(); err != nil || got != self {
		t.Errorf("Executable = %q, %v; want %q", got, err, self)
	}
	_, _ = c.Write([]byte("x"))
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := p.Alive(); !errors.Is(err, peer.ErrGone) {
		t.Errorf("Alive of a process that ended = %v", err)
	}
	if got, err := p.Executable(); err == nil {
		t.Errorf("Executable of a process that ended = %q", got)
	}
	_ = c.Close()
	if err := p.Alive(); err == nil {
		t.Error("Alive on a connection that was closed = nil")
	}
}
