package child_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/authring/authring/internal/child"
)

// replaceVariable has this program replace itself by a command.
const replaceVariable = "AUTHRING_TEST_REPLACE"

func TestMain(m *testing.M) {
	how := os.Getenv(replaceVariable)
	if how == "" {
		os.Exit(m.Run())
	}
	ctx, cancel := context.WithCancel(context.Background())
	err := child.Replace(ctx, child.Command{Path: "/bin/echo", Args: []string{"echo", "replaced"}}, func() {
		switch how {
		case "signal":
			_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		case "end":
			cancel()
		}
	})
	if errors.Is(err, context.Canceled) {
		os.Exit(42)
	}
	os.Exit(1)
}

// A signal that comes while this program gives way to the command ends it, and is
// not lost with its memory.
func TestReplaceLosesNoSignal(t *testing.T) {
	for how, want := range map[string]string{"plain": "exit status 0", "signal": "signal: terminated", "end": "exit status 42"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = []string{replaceVariable + "=" + how}
		out, _ := cmd.Output()
		if got := cmd.ProcessState.String(); got != want || (how == "plain") != strings.Contains(string(out), "replaced") {
			t.Errorf("%s: %s, and it says %q; want %s", how, got, out, want)
		}
	}
}
