// Package standin is a small Core Foundation and Security.framework for tests
// on other systems than macOS: the documented behaviour of the few functions
// that are used, in C, so that the calls into C are tried. It counts objects
// that nobody released, and secrets that were not wiped, and it aborts the
// process where macOS would crash.
package standin

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/authring/authring/internal/needs"
)

//go:embed testdata/security.c
var source []byte

// Build compiles it, and returns the path of the library. Each has a keychain
// of its own.
func Build(t *testing.T) string {
	t.Helper()
	needs.Programs(t, "gcc")
	folder := t.TempDir()
	code, library := filepath.Join(folder, "security.c"), filepath.Join(folder, "security.so")
	if err := os.WriteFile(code, source, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("gcc", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", library, code, "-lpthread").CombinedOutput()
	if err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return library
}
