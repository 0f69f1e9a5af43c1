package child_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authring/authring/internal/child"
)

// memory is a folder of the test's own on a file system in memory.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "authring-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func runtimeIs(dir string) func(string) string {
	return func(name string) string {
		if name == "XDG_RUNTIME_DIR" {
			return dir
		}
		return ""
	}
}

// newFolder makes a folder and holds it against what it must be.
func newFolder(t *testing.T, runtime string, inMemory bool) *child.Folder {
	t.Helper()
	f, err := child.NewFolder(t.Context(), runtimeIs(runtime), inMemory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if info, err := os.Lstat(f.Path); err != nil || info.Mode() != os.ModeDir|0o700 {
		t.Errorf("%s is %v, %v", f.Path, info.Mode(), err)
	}
	var stat unix.Statfs_t
	if err := unix.Statfs(f.Path, &stat); inMemory && (err != nil || stat.Type != unix.TMPFS_MAGIC) {
		t.Errorf("%s is on a file system of type %x, %v", f.Path, stat.Type, err)
	}
	return f
}

func TestFolder(t *testing.T) {
	runtime := memory(t)
	f := newFolder(t, runtime, true)
	if !strings.HasPrefix(f.Path, filepath.Join(runtime, "authring")+"/") {
		t.Errorf("the folder is %s, not in %s", f.Path, runtime)
	}
	if err := os.WriteFile(filepath.Join(f.Path, "token"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(f.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", f.Path, err)
	}
}

// Where the user's folder is missing, open to others, or a link, it is not
// used, and another one in memory is.
func TestFolderElsewhere(t *testing.T) {
	open := memory(t)
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	linked := memory(t)
	if err := os.Symlink(memory(t), filepath.Join(linked, "authring")); err != nil {
		t.Fatal(err)
	}
	loose := memory(t)
	if err := os.Mkdir(filepath.Join(loose, "authring"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(loose, "authring"), 0o755); err != nil {
		t.Fatal(err)
	}
	far := filepath.Join(memory(t), strings.Repeat("x", 80))
	if err := os.Mkdir(far, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, runtime := range map[string]string{
		"not set": "", "too long for a socket": far, "not absolute": "run", "others may write": open, "a link": linked, "others may look": loose,
	} {
		f := newFolder(t, runtime, true)
		if runtime != "" && strings.HasPrefix(f.Path, runtime) {
			t.Errorf("%s: the folder is %s", name, f.Path)
		}
	}
}

// What a run that was killed has left is removed, and nothing of one that lives.
func TestFolderSweeps(t *testing.T) {
	runtime := memory(t)
	alive := newFolder(t, runtime, false)
	dead := filepath.Join(filepath.Dir(alive.Path), "exec-1")
	foreign := filepath.Join(filepath.Dir(alive.Path), "other-1")
	making := filepath.Join(filepath.Dir(alive.Path), "exec-2")
	halfMade := filepath.Join(filepath.Dir(alive.Path), "exec-3")
	for _, dir := range []string{dead, foreign, making, halfMade} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if dir == making || dir == halfMade {
			continue
		}
		for _, name := range []string{"lock", "token"} {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	long := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(halfMade, long, long); err != nil {
		t.Fatal(err)
	}
	child.Sweep(runtimeIs(runtime))
	for _, path := range []string{dead, halfMade} {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s, which a dead run left, is still there: %v", path, err)
		}
	}
	for _, path := range []string{alive.Path, foreign, making} {
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("%s is gone: %v", path, err)
		}
	}
}
