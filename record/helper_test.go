package record_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

// home gives the test folders of its own, which have on Windows the names that
// the XDG specification gives them.
func home(t testing.TB) string {
	t.Helper()
	if runtime.GOOS == "darwin" {
		t.Skip("written for the folders of the XDG specification")
	}
	dir := t.TempDir()
	setenv(t, "HOME", dir)
	setenv(t, "AppData", filepath.Join(dir, ".config"))
	setenv(t, "LocalAppData", filepath.Join(dir, ".local", "state"))
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"} {
		setenv(t, name, "")
	}
	return dir
}

// apps are those whose layouts there are.
func apps() []string {
	if runtime.GOOS == "windows" {
		return []string{record.DefaultApp}
	}
	return []string{record.DefaultApp, record.MaestralApp}
}

func setenv(t testing.TB, name, value string) { t.Helper(); t.Setenv(name, value) }

func layout(t testing.TB, app string) record.Layout {
	t.Helper()
	l, err := record.NewLayout(app)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func full() record.Record {
	return record.Record{
		AccountID: "dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc", Keyring: keyring.SecretService,
		TokenAccessType: record.Offline, Provider: "dropbox", AppKey: "2jmbq42w7vof78h",
		Scope: "account_info.read files.metadata.read", Email: "ada@example.org", DisplayName: "Ada Lovelace",
		Linked: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
	}
}

func save(t testing.TB, l record.Layout, config string, r record.Record) {
	t.Helper()
	if err := l.Save(config, r); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, l record.Layout, config string) record.Record {
	t.Helper()
	r, err := l.Load(config)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// wantMode fails where a file has other rights. On Windows a mode tells of
// none.
func wantMode(t testing.TB, path string, want fs.FileMode) {
	t.Helper()
	if got := mode(t, path) &^ fs.ModeDir; got != want && runtime.GOOS != "windows" {
		t.Errorf("%s has the mode %v, want %v", path, got, want)
	}
}

func mode(t testing.TB, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// same compares records, through the pointer.
func same(a, b record.Record) bool {
	if (a.Revoked == nil) != (b.Revoked == nil) || a.Revoked != nil && *a.Revoked != *b.Revoked {
		return false
	}
	a.Revoked, b.Revoked = nil, nil
	return a == b
}
