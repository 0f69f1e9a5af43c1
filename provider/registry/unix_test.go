//go:build unix

package registry_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/authring/authring/provider/registry"
)

// TestFilesOfOthers: a file that somebody else can write is not believed, and
// nothing that is no file is waited for.
func TestFilesOfOthers(t *testing.T) {
	folder := registry.Folder(t.TempDir())
	if err := folder.Save(entry("work")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(string(folder), "work.json")
	for mode, good := range map[os.FileMode]bool{0o644: true, 0o664: true, 0o666: false, 0o602: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := folder.Load("work")
		var file *registry.FileError
		if good && err != nil || !good && !errors.As(err, &file) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	var file *registry.FileError
	if _, err := folder.Load("work"); !errors.As(err, &file) {
		t.Errorf("a pipe: %v", err)
	}
}
