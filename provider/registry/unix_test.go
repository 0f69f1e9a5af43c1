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
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Load("work"); os.Geteuid() != 0 && !errors.As(err, new(*registry.FileError)) {
		t.Errorf("mode 0: %v", err)
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

// TestLinks: a symbolic link of the user's is followed and stays. One that leads
// nowhere is no missing file, whose place a shipped provider would take.
func TestLinks(t *testing.T) {
	folder := registry.Folder(t.TempDir())
	dots := filepath.Join(t.TempDir(), "google.json")
	path := filepath.Join(string(folder), "google.json")
	if err := os.Symlink(dots, path); err != nil {
		t.Fatal(err)
	}
	var file *registry.FileError
	if _, err := folder.Load("google"); !errors.As(err, &file) {
		t.Errorf("a link to nothing: %v", err)
	}
	data, err := registry.Format(entry("google"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dots, data, 0o600); err != nil {
		t.Fatal(err)
	}
	changed := entry("google")
	changed.Provider.Title = "Changed"
	if err := folder.Save(changed); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(path); err != nil || target != dots {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	if got, err := folder.Load("google"); err != nil || got.Provider.Title != "Changed" {
		t.Errorf("Load = %+v, %v", got, err)
	}
}
