package child_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/authring/authring/internal/child"
)

// TestFolderOnEverySystem: a run's folder goes with it, and with the next sweep
// if it was killed; one of a run that lives stays.
func TestFolderOnEverySystem(t *testing.T) {
	home, err := os.MkdirTemp("", "child") // mode 0700
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	getenv := func(name string) string {
		return map[string]string{"XDG_RUNTIME_DIR": home, "HOME": home, "LocalAppData": home}[name]
	}
	alive, err := child.NewFolder(t.Context(), getenv, false)
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(filepath.Dir(alive.Path), "exec-1")
	if err := os.Mkdir(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lock", "token"} {
		if err := os.WriteFile(filepath.Join(dead, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	next, err := child.NewFolder(t.Context(), getenv, false)
	if err != nil {
		t.Fatal(err)
	}
	child.Sweep(getenv)
	if _, err := os.Lstat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a run that was killed has left is there: %v", err)
	}
	for _, f := range []*child.Folder{alive, next} {
		if err := os.WriteFile(filepath.Join(f.Path, "token"), nil, 0o600); err != nil {
			t.Errorf("the folder of a run that lives: %v", err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(f.Path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", f.Path, err)
		}
	}
}
