package record_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/record"
)

func TestLinkTry(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	if got, err := l.LoadLinkTry("work"); err != nil || got != (record.LinkTry{}) {
		t.Errorf("LoadLinkTry of nothing = %+v, %v", got, err)
	}
	want := record.LinkTry{Process: "authring (pid 7)", Since: noon(), Opened: noon().Add(time.Second), Failures: 3, Failed: noon().Add(time.Minute)}
	if err := l.SaveLinkTry("work", want); err != nil {
		t.Fatal(err)
	}
	if got, err := l.LoadLinkTry("work"); err != nil || got != want {
		t.Errorf("loaded %+v, %v; want %+v", got, err, want)
	}
	// A process may have any name.
	want.Process = "a\x1b[2J\nb"
	if err := l.SaveLinkTry("work", want); err != nil {
		t.Fatal(err)
	}
	if got, err := l.LoadLinkTry("work"); err != nil || strings.ContainsAny(got.Process, "\x1b\n") {
		t.Errorf("loaded %q, %v", got.Process, err)
	}
	for range 2 {
		if err := l.DropLinkTry("work"); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "../x"} {
		if _, err := l.LoadLinkTry(name); err == nil || l.LinkTurnPath(name) != "" {
			t.Errorf("the name %q is used", name)
		}
	}
}

func FuzzLinkTry(f *testing.F) {
	for _, seed := range []string{
		`{"version":1,"process":"authring (pid 7)","since":"2026-01-02T12:00:00Z","failures":2,"failed_at":"2026-01-02T12:00:00Z"}`,
		`{"version":2}`, `{"version":1,"failures":-1}`, `{"version":1,"failures":9223372036854775807}`, `[]`, "",
	} {
		f.Add(seed)
	}
	home := f.TempDir()
	l, err := record.LayoutIn("authring", filepath.Join(home, "config"), filepath.Join(home, "state"))
	if err != nil {
		f.Fatal(err)
	}
	if err := l.SaveLinkTry("work", record.LinkTry{}); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(l.LinkTurnPath("work")), "work.json")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := l.LoadLinkTry("work")
		var broken *record.FileError
		if err != nil && !errors.As(err, &broken) {
			t.Errorf("%q: %v", text, err)
		}
		if got.Failures < 0 || strings.ContainsAny(got.Process, "\x1b\n") {
			t.Errorf("%q: %+v", text, got)
		}
	})
}
