package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Root reports whether the test runs as root. If it does not, it is run again
// by sudo, in a process of its own, whose outcome is the test's; without sudo
// it counts as missing. The caller returns on false.
func Root(tb testing.TB) bool {
	tb.Helper()
	if os.Geteuid() <= 0 { // -1 on Windows
		return true
	}
	cmd := exec.Command("sudo", "-n", "env", Everything+"="+os.Getenv(Everything), "TMPDIR="+os.TempDir(),
		os.Args[0], "-test.run=^"+tb.Name()+"$", "-test.count=1")
	out, err := cmd.CombinedOutput()
	if len(out) == 0 && err != nil {
		Missing(tb, "root, or sudo that asks for no password")
	}
	if err != nil {
		tb.Errorf("run by sudo: %v\n%s", err, out)
	}
	return false
}
