//go:build unix

package record_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/authring/authring/record"
)

func TestThingsThatAreNoFiles(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	path := l.ConfigPath("work")
	for name, put := range map[string]func() error{
		"folder":        func() error { return os.MkdirAll(path, 0o700) },
		"named pipe":    func() error { return syscall.Mkfifo(path, 0o600) },
		"dangling link": func() error { return os.Symlink("nowhere", path) },
		"circle":        func() error { return os.Symlink("work.ini", path) },
		"link to a folder": func() error {
			return os.Symlink(".", path)
		},
		"a device": func() error { return os.Symlink("/dev/zero", path) },
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := put(); err != nil {
			t.Fatal(err)
		}
		before := mode(t, path)
		_, loadErr := l.Load("work")
		for what, err := range map[string]error{"Load": loadErr, "Save": l.Save("work", full()), "Clear": l.Clear("work")} {
			if file := (*record.FileError)(nil); !errors.As(err, &file) || file.Path != path {
				t.Errorf("%s of a %s = %v, want a FileError that names it", what, name, err)
			}
		}
		if after := mode(t, path); after != before {
			t.Errorf("a %s became %v", name, after)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSymbolicLinksAreWrittenThrough(t *testing.T) {
	dir := home(t)
	for _, app := range []string{record.DefaultApp, record.MaestralApp} {
		l := layout(t, app)
		target, path := filepath.Join(dir, "dotfiles", app), l.ConfigPath("work")
		write(t, target, "[other]\nkept = yes\n")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		save(t, l, "work", full())
		if got := load(t, l, "work"); got.AccountID != full().AccountID {
			t.Errorf("%s: loaded %+v", app, got)
		}
		if names, err := l.List(); err != nil || !slices.Equal(names, []string{"work"}) {
			t.Errorf("%s: List = %v, %v", app, names, err)
		}
		if !strings.Contains(read(t, target), full().AccountID) {
			t.Errorf("%s: the target was not written", app)
		}
		write(t, target, "[auth]\naccount_id = a\n")
		if err := l.Clear("work"); err != nil {
			t.Errorf("%s: Clear = %v", app, err)
		}
		if r := load(t, l, "work"); !r.Empty() {
			t.Errorf("%s: still linked: %+v", app, r)
		}
		if m := mode(t, path); m&os.ModeSymlink == 0 {
			t.Errorf("%s: the link was replaced by %v", app, m)
		}
	}
}

func TestWhoCanWriteTheFile(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	path := l.ConfigPath("work")
	for perm, trusted := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o644: true, 0o664: true, 0o660: true, 0o666: false, 0o602: false, 0o777: false,
	} {
		write(t, path, "[auth]\naccount_id = a\n")
		if err := os.Chmod(path, perm); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Load("work"); (err == nil) != trusted {
			t.Errorf("Load of a file with mode %#o = %v", perm, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}
