//go:build unix

package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/authring/authring/internal/atomicfile"
)

// TestNewNames: both ways of giving a file a new name leave what has that name.
func TestNewNames(t *testing.T) {
	for name, give := range map[string]func(from, to string) error{"rename": atomicfile.RenameNew, "link": atomicfile.LinkNew} {
		from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
		if err := os.WriteFile(from, []byte("ours"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := give(from, to); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(from); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the old name is there: %v", name, err)
		}
		if err := os.WriteFile(from, []byte("second"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := give(from, to); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s = %v, want fs.ErrExist", name, err)
		}
		if got, err := os.ReadFile(to); err != nil || string(got) != "ours" {
			t.Errorf("%s: it holds %q, %v", name, got, err)
		}
	}
}
