package daemontest

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/authring/authring/internal/needs"
)

// StartDisplay starts an X server that shows nothing, and returns its name
// (":7"). Windows are typed into with xdotool.
func StartDisplay(tb testing.TB) string {
	tb.Helper()
	needs.Programs(tb, "Xvfb", "xdotool")
	r, w, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	// The server chooses a free number, and says so once it listens.
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-nolisten", "tcp", "-screen", "0", "1280x1024x24")
	cmd.ExtraFiles = []*os.File{w}
	start(tb, cmd)
	_ = w.Close()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		tb.Fatalf("Xvfb named no display: %v", err)
	}
	return ":" + strings.TrimSpace(line)
}
