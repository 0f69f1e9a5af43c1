package peer_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/authring/authring/internal/peer"
)

func TestMain(m *testing.M) {
	if os.Getenv("PEER_TEST_WAIT") != "" {
		_, _ = os.Stdout.WriteString("here")
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestAProcessThatEnded is gone, although its parent still has it open.
func TestAProcessThatEnded(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PEER_TEST_WAIT=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	p := peer.Peer{PID: cmd.Process.Pid}
	if err := p.Alive(); err != nil {
		t.Errorf("Alive = %v", err)
	}
	if path, err := p.Executable(); err != nil || !strings.EqualFold(path, os.Args[0]) {
		t.Errorf("Executable = %q, %v; want %q", path, err, os.Args[0])
	}
	_ = in.Close()
	if state, err := cmd.Process.Wait(); err != nil || !state.Success() { // which keeps it open
		t.Fatal(state, err)
	}
	if err := p.Alive(); !errors.Is(err, peer.ErrGone) {
		t.Errorf("Alive of one that ended = %v", err)
	}
}
