// Package needs guards tests that use programs of the machine: without them a
// test is skipped and says so, and under ./test, which installs them, it fails.
package needs

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Everything is the variable by which ./test declares that all is installed.
const Everything = "AUTHRING_TEST_EVERYTHING"

// Programs ends the test unless all named programs are found.
func Programs(tb testing.TB, names ...string) {
	tb.Helper()
	var missing []string
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		Missing(tb, strings.Join(missing, ", "))
	}
}

// Missing ends the test because what it names is not here.
func Missing(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv(Everything) != "" {
		tb.Fatalf("missing on this machine: %s", what)
	}
	tb.Skipf("missing on this machine: %s (./test installs it)", what)
}
