package record_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

func begun(at time.Time) record.PendingLink {
	return record.PendingLink{
		AuthURL:  "https://www.dropbox.com/oauth2/authorize?response_type=code&code_challenge=x",
		Verifier: secret.New(verifier), State: "s", Provider: "dropbox", AppKey: "k", Scope: "a b",
		RedirectURI: "http://127.0.0.1:1/", Created: at,
	}
}

func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

func TestPendingLink(t *testing.T) {
	home(t)
	for _, app := range apps() {
		l := layout(t, app)
		if _, err := l.LoadPending("work", noon()); !errors.Is(err, record.ErrNoPending) {
			t.Errorf("LoadPending of nothing = %v", err)
		}
		for range 2 {
			if err := l.SavePending("work", begun(noon())); err != nil {
				t.Fatal(err)
			}
		}
		wantMode(t, l.PendingPath("work"), 0o600)
		got, err := l.LoadPending("work", noon().Add(9*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if !got.Verifier.Equal(secret.New(verifier)) {
			t.Error("another code verifier came back")
		}
		want := begun(noon())
		want.Config, want.Expires = "work", noon().Add(record.PendingLifetime)
		got.Verifier, want.Verifier = secret.Secret{}, secret.Secret{}
		if got != want {
			t.Errorf("loaded %+v, want %+v", got, want)
		}
		for range 2 {
			if err := l.DropPending("work"); err != nil {
				t.Error(err)
			}
		}
		if _, err := l.LoadPending("work", noon()); !errors.Is(err, record.ErrNoPending) {
			t.Errorf("LoadPending after DropPending = %v", err)
		}
	}
}

func TestPendingLinkExpires(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	if err := l.SavePending("work", begun(noon())); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]error{
		0: nil, 10*time.Minute - 1: nil, 10 * time.Minute: record.ErrPendingExpired, 24 * time.Hour: record.ErrPendingExpired,
		-time.Second: nil, -time.Hour: record.ErrPendingExpired,
	} {
		if _, err := l.LoadPending("work", noon().Add(after)); !errors.Is(err, want) {
			t.Errorf("after %v: %v, want %v", after, err, want)
		}
	}
	for name, change := range map[string]func(*record.PendingLink){
		"too long a life":  func(p *record.PendingLink) { p.Expires = noon().Add(time.Hour) },
		"none":             func(p *record.PendingLink) { p.Expires = noon().Add(-1) },
		"no verifier":      func(p *record.PendingLink) { p.Verifier = secret.Secret{} },
		"no page":          func(p *record.PendingLink) { p.AuthURL = "" },
		"no time":          func(p *record.PendingLink) { p.Created = time.Time{} },
		"a two-line state": func(p *record.PendingLink) { p.State = "a\nb" },
	} {
		p := begun(noon())
		change(&p)
		if err := l.SavePending("work", p); err == nil || strings.Contains(err.Error(), verifier) {
			t.Errorf("SavePending with %s = %v, want an error without the verifier", name, err)
		}
	}
}

func TestPendingFilesThatAreNotTrusted(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	path := l.PendingPath("work")
	good := func() {
		t.Helper()
		if err := l.SavePending("work", begun(noon())); err != nil {
			t.Fatal(err)
		}
	}
	good()
	text := read(t, path)
	spoiled := map[string]func() error{
		"cut short":       func() error { return os.Truncate(path, 40) },
		"empty":           func() error { return os.Truncate(path, 0) },
		"too large":       func() error { return os.Truncate(path, 2<<20) },
		"another version": func() error { return edited(path, text, `"version": 1`, `"version": 2`) },
		"another link's":  func() error { return edited(path, text, `"config": "work"`, `"config": "home"`) },
		"a longer life":   func() error { return edited(path, text, "2026-01-02T12:10:00Z", "2027-01-02T12:10:00Z") },
		"no verifier":     func() error { return edited(path, text, verifier, "") },
		"another type":    func() error { return edited(path, text, `"code_verifier": "`+verifier+`"`, `"code_verifier": 7`) },
		"a second value":  func() error { return os.WriteFile(path, []byte(text+text), 0o600) },
	}
	if runtime.GOOS != "windows" { // where a mode tells nothing, and the folder protects
		spoiled["open to the group"] = func() error { return os.Chmod(path, 0o640) }
		spoiled["open to others"] = func() error { return os.Chmod(path, 0o604) }
		spoiled["a symbolic link"] = func() error { return errors.Join(os.Rename(path, path+".real"), os.Symlink(path+".real", path)) }
	}
	for name, spoil := range spoiled {
		good()
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		var file *record.FileError
		if p, err := l.LoadPending("work", noon()); !errors.As(err, &file) || file.Path != path || strings.Contains(err.Error(), verifier) {
			t.Errorf("%s: %+v, %v; want a FileError without the verifier", name, p, err)
		}
	}
	good()
	if _, err := l.LoadPending("work", noon()); err != nil {
		t.Errorf("a new one does not mend it: %v", err)
	}
}

func edited(path, text, old, new string) error {
	if !strings.Contains(text, old) {
		return fmt.Errorf("no %s in %s", old, text)
	}
	return os.WriteFile(path, []byte(strings.Replace(text, old, new, 1)), 0o600)
}

func grant(id string) record.PendingRevocation {
	return record.PendingRevocation{
		ID: id, Config: "work", AccountID: "dbid:A", Provider: "dropbox", AppKey: "k", TokenAccessType: record.Offline,
		Keyring: keyring.SecretService, User: "revoke:" + id, Since: noon(),
	}
}

func TestRevocations(t *testing.T) {
	home(t)
	l, other := layout(t, record.DefaultApp), layout(t, "other-app")
	if got, err := l.Revocations(); len(got) != 0 || err != nil {
		t.Errorf("Revocations = %v, %v", got, err)
	}
	second, first, third := grant("B7"), grant("a1"), grant("c")
	first.Since, third.Since = noon().Add(-time.Hour), noon().Add(time.Hour)
	for _, p := range []record.PendingRevocation{second, third, first, second} {
		if err := l.AddRevocation(p); err != nil {
			t.Fatal(err)
		}
	}
	got, err := l.Revocations()
	if want := []record.PendingRevocation{first, second, third}; err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Revocations = %v, %v; want %v", got, err, want)
	}
	if got, err := other.Revocations(); len(got) != 0 || err != nil {
		t.Errorf("another app sees %v, %v", got, err)
	}
	for range 2 {
		if err := l.RemoveRevocation("B7"); err != nil {
			t.Error(err)
		}
	}
	// A broken note does not hide the others, nor do files of other kinds.
	folder := filepath.Join(l.StateFolder(), "revocations")
	write(t, filepath.Join(folder, "notes.txt"), "?")
	write(t, filepath.Join(folder, ".x.json.1.tmp"), "?")
	write(t, filepath.Join(folder, "broken.json"), "{")
	write(t, filepath.Join(folder, "copy.json"), read(t, filepath.Join(folder, "c.json")))
	got, err = l.Revocations()
	if want := []record.PendingRevocation{first, third}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Revocations = %v, want %v", got, want)
	}
	if err == nil || !strings.Contains(err.Error(), "broken.json") || !strings.Contains(err.Error(), "copy.json") ||
		strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("Revocations = %v, want the two bad notes named", err)
	}
	for name, change := range map[string]func(*record.PendingRevocation){
		"id": func(p *record.PendingRevocation) { p.ID = "../x" }, "no id": func(p *record.PendingRevocation) { p.ID = "" },
		"config":     func(p *record.PendingRevocation) { p.Config = "a/b" },
		"user":       func(p *record.PendingRevocation) { p.User = "" },
		"keyring":    func(p *record.PendingRevocation) { p.Keyring = "" },
		"account id": func(p *record.PendingRevocation) { p.AccountID = "a\nb" },
	} {
		p := grant("d")
		change(&p)
		if err := l.AddRevocation(p); err == nil {
			t.Errorf("a note with a bad %s was kept", name)
		}
	}
	for _, id := range []string{"", "../x", "a/b", ".", "a.json"} {
		if err := l.RemoveRevocation(id); err == nil {
			t.Errorf("RemoveRevocation(%q) works", id)
		}
	}
}

func FuzzPending(f *testing.F) {
	home(f)
	l := layout(f, record.DefaultApp)
	if err := l.SavePending("work", begun(noon())); err != nil {
		f.Fatal(err)
	}
	path := l.PendingPath("work")
	f.Add(read(f, path))
	f.Add(`{"version":1,"config":"work","auth_url":"x","code_verifier":"y","created_at":"2026-01-02T12:00:00Z","expires_at":"2026-01-02T12:00:01Z"}`)
	f.Add(`{"version":1,"config":"work","created_at":"9999-12-31T23:59:59Z"}`)
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := l.LoadPending("work", noon())
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) || p.Config != "work" || p.AuthURL == "" || p.Verifier.IsZero() ||
			p.Expires.Sub(p.Created) > record.PendingLifetime || !noon().Before(p.Expires) {
			t.Fatalf("%q was taken for %+v", text, p)
		}
		if err := l.SavePending("work", p); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := l.LoadPending("work", noon())
		if err != nil || !again.Verifier.Equal(p.Verifier) || !again.Created.Equal(p.Created) || again.AuthURL != p.AuthURL {
			t.Fatalf("%+v came back as %+v, %v", p, again, err)
		}
	})
}
