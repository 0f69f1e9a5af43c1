package atomicfile_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/authring/authring/internal/atomicfile"
)

func TestWriteReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "file")
	for _, text := range []string{"first", "second, and longer", ""} {
		if err := atomicfile.Write(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("read %q, %v; want %q", got, err, text)
		}
	}
	wantMode(t, path, 0o600)
	wantMode(t, filepath.Dir(path), 0o700)
	onlyFile(t, filepath.Dir(path))
}

func TestWriteNarrowsTheMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantMode(t, path, 0o600)
}

// wantMode fails where a file has other rights. On Windows a mode tells of
// none.
func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want && runtime.GOOS != "windows" {
		t.Errorf("%s has the mode %v, want %v", path, got, want)
	}
}

// TestReplacedWhileItIsRead: those who write and read are not in each other's
// way, and every read is one whole text.
func TestReplacedWhileItIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var wg sync.WaitGroup
	for worker := range 4 {
		text := bytes.Repeat([]byte{byte('a' + worker)}, 5000)
		wg.Go(func() {
			for range 50 {
				if err := atomicfile.Write(path, text, 0o600); err != nil {
					t.Errorf("Write: %v", err)
					continue
				}
				f, err := atomicfile.Open(path, os.O_RDONLY)
				if err != nil {
					t.Errorf("Open: %v", err)
					continue
				}
				got, err := io.ReadAll(f)
				_ = f.Close()
				if err != nil || len(got) != 5000 || len(bytes.Trim(got, string(got[:1]))) > 0 {
					t.Errorf("read a mixture of %d bytes, %v", len(got), err)
				}
			}
		})
	}
	wg.Wait()
	onlyFile(t, filepath.Dir(path))
}

func TestWriteDoesNotFollowALink(t *testing.T) {
	dir := t.TempDir()
	target, path := filepath.Join(t.TempDir(), "target"), filepath.Join(dir, "file")
	if err := os.WriteFile(target, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(path, []byte("ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(target); string(got) != "theirs" {
		t.Errorf("the target of the link now holds %q", got)
	}
}

func TestFailureLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(path, "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(path, []byte("x"), 0o600); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Write over a folder = %v, want an error that names the path", err)
	}
	onlyFile(t, dir)
}

func TestRemove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := atomicfile.Remove(path); err != nil {
		t.Errorf("Remove of nothing = %v", err)
	}
	if err := atomicfile.Write(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("Stat = %v, want not exist", err)
	}
}

// onlyFile fails when a temporary file was left in dir.
func onlyFile(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%s holds %v, %v; want one entry", dir, entries, err)
	}
}
