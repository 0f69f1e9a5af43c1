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
	for _, app := range apps() {
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

func TestFolders(t *testing.T) {
	dir := home(t)
	type paths struct{ config, lock, pending, state, service string }
	of := func(l record.Layout) paths {
		return paths{l.ConfigPath("w"), l.LockPath("w"), l.PendingPath("w"), l.StateFolder(), l.Service()}
	}
	for _, test := range []struct {
		name, app string
		env       map[string]string
		want      paths
	}{
		{"unset", "authring", nil, paths{
			dir + "/.config/authring/w.ini", dir + "/.local/state/authring/locks/w.lock",
			dir + "/.local/state/authring/pending/w.json", dir + "/.local/state/authring", "authring",
		}},
		{"set", "app", map[string]string{"XDG_CONFIG_HOME": "/c/", "XDG_STATE_HOME": "/s"}, paths{
			"/c/app/w.ini", "/s/app/locks/w.lock", "/s/app/pending/w.json", "/s/app", "app",
		}},
		{"relative", "app", map[string]string{"XDG_CONFIG_HOME": "c", "XDG_STATE_HOME": "./s"}, paths{
			dir + "/.config/app/w.ini", dir + "/.local/state/app/locks/w.lock",
			dir + "/.local/state/app/pending/w.json", dir + "/.local/state/app", "app",
		}},
		{"Maestral", "Maestral", map[string]string{"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "XDG_DATA_HOME": "/d"}, paths{
			"/c/maestral/w.ini", "/s/authring/maestral/locks/w.lock", "/s/authring/maestral/pending/w.json", "/s/authring/maestral", "Maestral",
		}},
		{"no home needed", "app", map[string]string{"HOME": "", "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"}, paths{
			"/c/app/w.ini", "/s/app/locks/w.lock", "/s/app/pending/w.json", "/s/app", "app",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			l := layout(t, test.app)
			if got := of(l); got != test.want {
				t.Errorf("paths\n%+v, want\n%+v", got, test.want)
			}
			if l.Maestral() != (test.app == "Maestral") {
				t.Error("Maestral() is wrong")
			}
		})
	}
	for _, value := range []string{"", "relative/home"} {
		t.Setenv("HOME", value)
		for _, app := range []string{"authring", "Maestral"} {
			if _, err := record.NewLayout(app); err == nil || !strings.Contains(err.Error(), "HOME") {
				t.Errorf("NewLayout with HOME=%q = %v, want an error that names HOME", value, err)
			}
		}
	}
}

func TestNotesOfOthers(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	if err := l.SaveAttempt("work", attempt()); err != nil {
		t.Fatal(err)
	}
	if err := l.SaveIntent("work", intent()); err != nil {
		t.Fatal(err)
	}
	for path, load := range map[string]func() (bool, error){
		attemptFile(l): func() (bool, error) { _, ok, err := l.LoadAttempt("work"); return ok, err },
		intentFile(l):  func() (bool, error) { _, ok, err := l.LoadIntent("work"); return ok, err },
	} {
		for perm, mine := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o620: false, 0o602: false, 0o666: false} {
			if err := os.Chmod(path, perm); err != nil {
				t.Fatal(err)
			}
			if ok, err := load(); ok != mine || (err == nil) != mine {
				t.Errorf("%s with mode %#o: %v, %v", path, perm, ok, err)
			}
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path, path+".real"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path+".real", path); err != nil {
			t.Fatal(err)
		}
		if ok, err := load(); ok || err == nil {
			t.Errorf("%s was read through a symbolic link", path)
		}
	}
}
