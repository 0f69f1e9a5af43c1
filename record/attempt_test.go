package record_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/record"
)

func attemptFile(l record.Layout) string {
	return filepath.Join(l.StateFolder(), "attempts", "work.json")
}

func attempt() record.Attempt {
	return record.Attempt{Fingerprint: "0123456789ab", Started: noon().Add(time.Nanosecond), Tries: 2, Process: "authring (pid 7)"}
}

func TestAttempt(t *testing.T) {
	home(t)
	for _, app := range apps() {
		l := layout(t, app)
		if a, ok, err := l.LoadAttempt("work"); ok || err != nil {
			t.Errorf("%s: at first there is %+v, %v", app, a, err)
		}
		for _, want := range []record.Attempt{attempt(), {Fingerprint: "x", Started: noon()}, {Fingerprint: "x", Started: noon(), Tries: 1000}} {
			if err := l.SaveAttempt("work", want); err != nil {
				t.Fatal(err)
			}
			if got, ok, err := l.LoadAttempt("work"); err != nil || !ok || got != want {
				t.Errorf("%s: loaded %+v, %v, %v; want %+v", app, got, ok, err, want)
			}
		}
		wantMode(t, attemptFile(l), 0o600)
		if _, ok, err := l.LoadAttempt("other"); ok || err != nil {
			t.Errorf("%s: another link has it as well: %v", app, err)
		}
		for range 2 {
			if err := l.DropAttempt("work"); err != nil {
				t.Error(err)
			}
		}
		if _, ok, err := l.LoadAttempt("work"); ok || err != nil {
			t.Errorf("%s: it was dropped, and is there: %v", app, err)
		}
	}
}

func TestAttemptTime(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	a := attempt()
	a.Started = time.Now().In(time.FixedZone("there", 3600)) // with a monotonic part
	a.Process = "evil\x1b[2J\nname " + strings.Repeat("x", 1000)
	if err := l.SaveAttempt("work", a); err != nil {
		t.Fatal(err)
	}
	got, _, err := l.LoadAttempt("work")
	if err != nil || !got.Started.Equal(a.Started) || got.Started.Location() != time.UTC {
		t.Errorf("started at %v, %v; want %v", got.Started, err, a.Started)
	}
	if strings.ContainsAny(got.Process, "\x1b\n") || len(got.Process) > 512 {
		t.Errorf("the process is %q", got.Process)
	}
}

func TestAttemptThatCannotBeSaved(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	if err := l.SaveAttempt("work", attempt()); err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]record.Attempt{
		"no token": {Tries: 1}, "a line break": {Fingerprint: "a\nb"}, "too long": {Fingerprint: strings.Repeat("x", 513)},
		"less than none": {Fingerprint: "x", Tries: -1}, "without end": {Fingerprint: "x", Tries: 1001},
		"a time that JSON has not": {Fingerprint: "x", Started: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if err := l.SaveAttempt("work", a); err == nil {
			t.Errorf("%s: saved", name)
		}
		if got, ok, err := l.LoadAttempt("work"); err != nil || !ok || got != attempt() {
			t.Errorf("%s: the one before became %+v, %v, %v", name, got, ok, err)
		}
	}
	for _, name := range []string{"", "..", "a/b"} {
		_, _, err := l.LoadAttempt(name)
		if err == nil || l.SaveAttempt(name, attempt()) == nil || l.DropAttempt(name) == nil {
			t.Errorf("%q is taken for a config name", name)
		}
	}
}

func TestAttemptThatIsDamaged(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	const good = `{"version":1,"fingerprint":"0123456789ab","started_at":"2026-03-04T05:06:07Z","tries":1}`
	write(t, attemptFile(l), good)
	if _, ok, err := l.LoadAttempt("work"); !ok || err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, text := range map[string]string{
		"empty": "", "zeros": strings.Repeat("\x00", 100), "cut short": good[:len(good)/2], "more than one": good + good,
		"another version": strings.Replace(good, `1`, `2`, 1), "no version": "{}", "null": "null",
		"no token":      strings.Replace(good, "0123456789ab", "", 1),
		"a line break":  strings.Replace(good, "0123456789ab", `a\nb`, 1),
		"no number":     strings.Replace(good, `"tries":1`, `"tries":"1"`, 1),
		"too many":      strings.Replace(good, `"tries":1`, `"tries":1e6`, 1),
		"less":          strings.Replace(good, `"tries":1`, `"tries":-1`, 1),
		"no time":       strings.Replace(good, "2026-03-04T05:06:07Z", "noon", 1),
		"more than MiB": good + strings.Repeat(" ", 1<<20),
	} {
		write(t, attemptFile(l), text)
		_, ok, err := l.LoadAttempt("work")
		if file := (*record.FileError)(nil); ok || !errors.As(err, &file) || file.Path != attemptFile(l) {
			t.Errorf("%s: %v, %v; want a FileError that names it", name, ok, err)
		}
		if err != nil && strings.Contains(err.Error(), "0123456789ab") {
			t.Errorf("%s: the error quotes the file: %v", name, err)
		}
		if got := read(t, attemptFile(l)); got != text {
			t.Errorf("%s: the file was changed", name)
		}
		// The next attempt takes its place.
		if err := l.SaveAttempt("work", attempt()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzAttempt reads arbitrary notes and saves what can be read.
func FuzzAttempt(f *testing.F) {
	f.Add(`{"version":1,"fingerprint":"0123456789ab","started_at":"2026-03-04T05:06:07.000000008Z","tries":1,"process":"a (pid 1)"}`)
	f.Add(`{"version":1,"fingerprint":"x","started_at":"2026-03-04T05:06:07+23:59","tries":1000}`)
	f.Add(`{"version":1,"fingerprint":"x","started_at":"9999-12-31T23:59:59-23:59","process":"\u001b[2J"}`)
	f.Add(`{"version":2}`)
	f.Add("{\n\"version\":\n\"1\"}")
	home(f)
	l := layout(f, record.DefaultApp)
	f.Fuzz(func(t *testing.T, text string) {
		write(t, attemptFile(l), text)
		got, ok, err := l.LoadAttempt("work")
		if err != nil {
			if file := (*record.FileError)(nil); ok || !errors.As(err, &file) || file.Line > strings.Count(text, "\n")+1 {
				t.Fatalf("%q: %v, %v", text, ok, err)
			}
			return
		}
		if !ok || got.Fingerprint == "" || got.Tries < 0 || got.Tries > 1000 || strings.ContainsAny(got.Fingerprint+got.Process, "\n\x1b") {
			t.Fatalf("%q was read as %v, %+v", text, ok, got)
		}
		if err := l.SaveAttempt("work", got); err != nil {
			t.Fatalf("%q was read as %+v, which cannot be saved: %v", text, got, err)
		}
		again, ok, err := l.LoadAttempt("work")
		if err != nil || !ok || !again.Started.Equal(got.Started) {
			t.Fatalf("saved again, %q is %+v, %v", text, again, err)
		}
		if again.Started = got.Started; again != got {
			t.Fatalf("saved again, %q is %+v, want %+v", text, again, got)
		}
	})
}
