package atomicfile_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/authring/authring/internal/atomicfile"
)

// TestCreateByMany: one of those who create a file succeeds, and its data is
// what all of them find then.
func TestCreateByMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "file")
	var made atomic.Pointer[[]byte]
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			data := bytes.Repeat([]byte{byte('a' + i)}, 10_000)
			switch err := atomicfile.Create(path, data, 0o600); {
			case err == nil:
				if other := made.Swap(&data); other != nil {
					t.Error("two made it")
				}
			case !errors.Is(err, fs.ErrExist):
				t.Errorf("Create = %v, want fs.ErrExist", err)
			}
			f, err := atomicfile.Open(path, os.O_RDONLY)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if got, err := io.ReadAll(f); err != nil || len(got) != 10_000 {
				t.Errorf("it has %d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	if got, err := os.ReadFile(path); err != nil || made.Load() == nil || !bytes.Equal(got, *made.Load()) {
		t.Errorf("it holds %d bytes of another, %v", len(got), err)
	}
	onlyFile(t, filepath.Dir(path))
}

func TestCreateLeavesWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	there := map[string]func(path string) error{
		"file":   func(path string) error { return os.WriteFile(path, []byte("theirs"), 0o644) },
		"empty":  func(path string) error { return os.WriteFile(path, nil, 0o644) },
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
	}
	if runtime.GOOS != "windows" { // where links are for administrators
		there["link"] = func(path string) error { return os.Symlink(filepath.Join(dir, "nowhere"), path) }
	}
	for name, put := range there {
		path := filepath.Join(dir, name)
		if err := put(path); err != nil {
			t.Fatal(err)
		}
		before, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := atomicfile.Create(path, []byte("ours"), 0o600); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: Create = %v, want fs.ErrExist", name, err)
		}
		after, err := os.Lstat(path)
		if err != nil || !os.SameFile(before, after) || before.Mode() != after.Mode() || before.Size() != after.Size() {
			t.Errorf("%s: it is another one: %v, %v", name, after, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("the link was followed")
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}
