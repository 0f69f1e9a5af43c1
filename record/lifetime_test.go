package record_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/authring/authring/record"
)

func lifePath(l record.Layout) string {
	return filepath.Join(l.StateFolder(), "lifetimes", "work.json")
}

func TestRefreshLife(t *testing.T) {
	home(t)
	l := layout(t, "authring")
	linked := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if _, ok, err := l.LoadRefreshLife("work", linked); ok || err != nil {
		t.Fatal(ok, err)
	}
	for _, want := range []record.RefreshLife{
		{Linked: linked, Used: linked.Add(time.Hour)},
		{Linked: linked, Used: linked.Add(time.Hour), Expires: linked.Add(1000 * time.Hour), Fixed: true},
	} {
		if err := l.SaveRefreshLife("work", want); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := l.LoadRefreshLife("work", linked); !ok || err != nil || got != want {
			t.Errorf("%+v, %v, %v; want %+v", got, ok, err, want)
		}
	}
	if _, ok, err := l.LoadRefreshLife("work", linked.Add(time.Second)); ok || err != nil {
		t.Errorf("the note of a link that is gone: %v, %v", ok, err)
	}
	if err := l.DropRefreshLife("work"); err != nil {
		t.Fatal(err)
	}
	if err := l.DropRefreshLife("work"); err != nil {
		t.Error(err)
	}
	if _, ok, err := l.LoadRefreshLife("work", linked); ok || err != nil {
		t.Error(ok, err)
	}
	if err := l.SaveRefreshLife("../work", record.RefreshLife{}); err == nil {
		t.Error("a name that is none was taken")
	}
	if err := l.SaveRefreshLife("work", record.RefreshLife{Used: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil {
		t.Error("a time that is none was taken")
	}
}

func FuzzRefreshLife(f *testing.F) {
	for _, text := range []string{
		`{"version":1,"used_at":"2026-01-02T03:04:05Z","linked_at":"2026-01-02T03:04:05Z","expires_at":"2026-02-02T03:04:05Z","fixed":true}`,
		`{"version":2}`, `{"version":1,"used_at":7}`, `[`, ``, `{"version":1,"used_at":"0000-01-01T00:00:00+23:59"}`,
	} {
		f.Add(text)
	}
	home(f)
	l := layout(f, "authring")
	if err := os.MkdirAll(filepath.Dir(lifePath(l)), 0o700); err != nil {
		f.Fatal(err)
	}
	linked := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(lifePath(l), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, ok, err := l.LoadRefreshLife("work", linked)
		if !ok || err != nil {
			return
		}
		if err := l.SaveRefreshLife("work", got); err != nil {
			t.Fatalf("%q: what can be read cannot be written: %v", text, err)
		}
		again, ok, err := l.LoadRefreshLife("work", linked)
		if !ok || err != nil || !again.Used.Equal(got.Used) || !again.Expires.Equal(got.Expires) || again.Fixed != got.Fixed {
			t.Fatalf("%q: %+v, and then %+v, %v", text, got, again, err)
		}
	})
}
