package proof_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	// What the workers are built from: a change of it makes the go command
	// forget earlier results of these tests.
	_ "github.com/authring/authring"
	"github.com/authring/authring/internal/needs"
)

// programs is where the programs that the tests start are built.
var programs string

// hangAt is the variable that makes the test program one that opens connections
// to a socket and says nothing, or not all.
const hangAt = "AUTHRING_TEST_HANG_AT"

func TestMain(m *testing.M) {
	if socket := os.Getenv(hangAt); socket != "" {
		if err := hang(socket); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	var err error
	if programs, err = os.MkdirTemp("", "proof"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(programs)
	os.Exit(status)
}

var length = flag.Duration("proof.length", 0, "how long processes share a link; 0: a minute under ./test, otherwise 5 s")

// long is how long processes share a link.
func long() time.Duration {
	switch {
	case *length > 0:
		return *length
	case os.Getenv(needs.Everything) != "":
		return time.Minute
	}
	return 5 * time.Second
}

// The workers are built without the race detector, which would leave two
// processors no time for fifty of them.
var (
	plainWorker = sync.OnceValues(func() (string, error) { return buildProgram("worker", "./worker") })
	armedWorker = sync.OnceValues(func() (string, error) { return buildProgram("armed", "./worker", "-tags=killpoint") })
)

func buildProgram(name, source string, flags ...string) (string, error) {
	path := filepath.Join(programs, name+".exe")
	args := append(append([]string{"build"}, flags...), "-o", path, source)
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go %q: %w\n%s", args, err, out)
	}
	return path, nil
}

func program(tb testing.TB, built func() (string, error)) string {
	tb.Helper()
	path, err := built()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// tally keeps what a process writes.
type tally struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *tally) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// home is a user's folders.
type home struct{ dir string }

func newHome(tb testing.TB) home {
	tb.Helper()
	return home{tb.TempDir()}
}

// environ is the environment of the user's processes, with extra variables.
// Without a bus among them only plain text can take a secret.
func (h home) environ(extra ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir, "XDG_RUNTIME_DIR=" + h.dir, "AUTHRING_AGENT=off",
		"XDG_CONFIG_HOME=" + filepath.Join(h.dir, "config"),
		"XDG_STATE_HOME=" + filepath.Join(h.dir, "state"),
		"XDG_DATA_HOME=" + filepath.Join(h.dir, "data"),
	}, extra...)
}
