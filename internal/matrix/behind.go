package matrix

import (
	"context"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// How a run of the suite proves a keyring.
type How string

// From the most that a run can show to the least.
const (
	Daemon   How = "real daemon"
	Program  How = "real program"
	System   How = "real system"
	File     How = "real file"
	Wine     How = "Wine"
	Fake     How = "fake"
	Compiled How = "compiled only" // no run at all
)

// Behind is what stands behind a keyring.
type Behind struct {
	How  How
	Name string
	// Version is that of the program, if it is one.
	Version string
}

var version = regexp.MustCompile(`[0-9]+(\.[0-9]+)+`)

// Version asks a program for its version, before it runs as a daemon: some then
// ask that one. Without an environment it has that
// of the test.
func Version(tb testing.TB, environ []string, name string, args ...string) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = environ
	cmd.Env = append(cmd.Environ(), "QT_QPA_PLATFORM=offscreen") // some want a display for it
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	found := version.FindString(string(out))
	if err != nil || found == "" {
		tb.Fatalf("%s does not tell its version: %v: %s", name, err, out)
	}
	return found
}
