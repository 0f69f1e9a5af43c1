package record_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

func historyFile(l record.Layout) string {
	return filepath.Join(l.StateFolder(), "history", "work.jsonl")
}

func remember(t testing.TB, l record.Layout, e record.Event) {
	t.Helper()
	if err := l.AppendHistory("work", e); err != nil {
		t.Fatal(err)
	}
}

func history(t testing.TB, l record.Layout) []record.Event {
	t.Helper()
	events, err := l.History("work")
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func event(n int) record.Event {
	return record.Event{At: noon().Add(time.Duration(n) * time.Second), What: record.EventRefreshed, Detail: fmt.Sprint(n)}
}

func TestHistoryRoundTrip(t *testing.T) {
	home(t)
	for _, app := range apps() {
		l := layout(t, app)
		if got := history(t, l); got != nil {
			t.Errorf("%s: at first it is %+v", app, got)
		}
		want := []record.Event{
			{At: noon(), What: record.EventLinked, Fingerprint: "0123456789ab", Keyring: keyring.SecretService, Process: "authring (pid 1)"},
			{At: noon().Add(time.Nanosecond), What: record.EventRevoked, Detail: `said "no", <twice> & that was it`},
		}
		for _, e := range want {
			remember(t, l, e)
		}
		if got := history(t, l); !slices.Equal(got, want) {
			t.Errorf("%s: it is %+v, want %+v", app, got, want)
		}
		wantMode(t, historyFile(l), 0o600)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	const slack = 40
	for n := range 3*(record.HistoryLength+slack) + 7 {
		remember(t, l, event(n))
		got := history(t, l)
		if want := min(n+1, record.HistoryLength); len(got) != want || got[len(got)-1] != event(n) || got[0] != event(n+1-want) {
			t.Fatalf("after %d events it is %+v", n+1, got)
		}
		lines := strings.Count(read(t, historyFile(l)), "\n")
		switch {
		case lines > record.HistoryLength+slack:
			t.Fatalf("after %d events the file has %d lines", n+1, lines)
		case n == record.HistoryLength+slack && lines != record.HistoryLength:
			t.Fatalf("the file was not cut: it has %d lines", lines)
		}
	}
}

func TestHistoryTextsAreCut(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	for name, test := range map[string]struct{ text, want string }{
		"just fits":        {strings.Repeat("x", 200), strings.Repeat("x", 200)},
		"one too many":     {strings.Repeat("x", 201), strings.Repeat("x", 197) + "…"},
		"two bytes":        {strings.Repeat("é", 101), strings.Repeat("é", 98) + "…"},
		"three, unaligned": {"x" + strings.Repeat("€", 80), "x" + strings.Repeat("€", 65) + "…"},
		"four bytes":       {strings.Repeat("🔑", 60), strings.Repeat("🔑", 49) + "…"},
		"not UTF-8":        {"a\xffb", "a\ufffdb"},
		"a line break":     {"a\nb\u2028c\u202ed", "a b c d"},
		"a terminal's":     {"\x1b[2Jgone\x07", "[2Jgone"},
	} {
		e := event(1)
		e.Detail, e.Process, e.Fingerprint = test.text, test.text, test.text
		e.Keyring = keyring.ID(test.text)
		remember(t, l, e)
		all := history(t, l)
		got := all[len(all)-1]
		for what, text := range map[string]string{"detail": got.Detail, "process": got.Process, "fingerprint": got.Fingerprint} {
			if text != test.want {
				t.Errorf("%s: the %s is %q, want %q", name, what, text, test.want)
			}
		}
		if id := string(got.Keyring); len(id) > 64 || !utf8.ValidString(id) {
			t.Errorf("%s: the keyring is %q", name, id)
		}
	}
}

// Texts that JSON writes longer than they are must not make a line that is too
// long to be read.
func TestHistoryOfTextsThatGrowInJSON(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	for _, text := range []string{`"`, `\`, "<", "&", "\u00ad", "\ufffd"} {
		e := event(1)
		e.Detail = strings.Repeat(text, 300)
		e.Process, e.Fingerprint, e.Keyring = e.Detail, e.Detail, keyring.ID(e.Detail)
		remember(t, l, e)
		got := history(t, l)
		if len(got) == 0 || !strings.HasPrefix(got[len(got)-1].Detail, strings.Repeat(text, 3)) {
			t.Errorf("an event full of %q is lost", text)
		}
		remember(t, l, event(2))
	}
}

func TestHistoryThatIsDamaged(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	good := func(n int) string {
		line, err := json.Marshal(event(n))
		if err != nil {
			t.Fatal(err)
		}
		return string(line)
	}
	for name, test := range map[string]struct {
		text string
		want []record.Event // with the event that is added
	}{
		"a last line that is cut short": {good(1) + "\n" + good(2)[:20], []record.Event{event(1), event(9)}},
		"a last line without its end":   {good(1) + "\n" + good(2), []record.Event{event(1), event(2), event(9)}},
		"a line in between":             {good(1) + "\nwhat is this\n" + good(2) + "\n", []record.Event{event(1), event(2), event(9)}},
		"empty lines":                   {"\n\n" + good(1) + "\n\n", []record.Event{event(1), event(9)}},
		"zeros after a power cut":       {good(1) + "\n" + strings.Repeat("\x00", 400), []record.Event{event(1), event(9)}},
		"a line that is too long":       {good(1) + "\n" + `{"event":"failed","detail":"` + strings.Repeat("x", 9000) + "\"}\n", []record.Event{event(1), event(9)}},
		"no event":                      {"{}\n[]\nnull\n1\n", []record.Event{event(9)}},
		"no lines":                      {strings.Repeat("x", 5000), []record.Event{event(9)}},
	} {
		write(t, historyFile(l), test.text)
		if got, want := history(t, l), test.want[:len(test.want)-1]; !slices.Equal(got, want) {
			t.Errorf("%s: it reads as %+v, want %+v", name, got, want)
		}
		remember(t, l, event(9))
		if got := history(t, l); !slices.Equal(got, test.want) {
			t.Errorf("%s: with one more it is %+v, want %+v", name, got, test.want)
		}
	}
}

// A file of more than a MiB, which is not one of ours.
func TestHistoryThatIsTooLarge(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	write(t, historyFile(l), strings.Repeat("x\n", 1<<20))
	if _, err := l.History("work"); err == nil {
		t.Error("a file of 2 MiB was read")
	}
	remember(t, l, event(1))
	if info, err := os.Stat(historyFile(l)); err != nil || info.Size() > 1<<20 {
		t.Errorf("the file grows beyond all bounds: %v, %v", info.Size(), err)
	}
	if got := history(t, l); !slices.Equal(got, []record.Event{event(1)}) {
		t.Errorf("afterwards it is %+v", got)
	}
}

func TestHistoryThatIsNoFile(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	if err := os.MkdirAll(historyFile(l), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := l.History("work"); err == nil {
		t.Error("a folder was read")
	}
	if err := l.AppendHistory("work", event(1)); err == nil || !strings.Contains(err.Error(), "could not write the history") {
		t.Errorf("AppendHistory to a folder = %v", err)
	}
	for _, name := range []string{"", "..", "a/b"} {
		if _, err := l.History(name); err == nil {
			t.Errorf("History(%q) is no error", name)
		}
		if err := l.AppendHistory(name, event(1)); err == nil {
			t.Errorf("AppendHistory(%q) is no error", name)
		}
	}
}

// FuzzHistory reads arbitrary files and adds to them.
func FuzzHistory(f *testing.F) {
	f.Add(`{"at":"2026-03-04T05:06:07Z","event":"linked","fingerprint":"0123456789ab"}`+"\n", "why")
	f.Add(`{"event":"failed","detail":"\u001b[2J\u202e"}`+"\n"+`{"event":"rot`, "a\nb")
	f.Add(strings.Repeat("\n", 100), strings.Repeat("€", 100))
	f.Add(`{"event":1}`+"\n"+`{"at":"yesterday","event":"linked"}`+"\n\x00\x00", "\xff")
	f.Add(strings.Repeat(`{"event":"refreshed"}`+"\n", 61), `"\`)
	f.Add(strings.Repeat(`{"event":"refreshed"}`+"\n", 61)+`{"event":"ref`, "")
	home(f)
	l := layout(f, record.DefaultApp)
	f.Fuzz(func(t *testing.T, text, detail string) {
		write(t, historyFile(l), text)
		before := history(t, l)
		e := event(1)
		e.Detail = detail
		remember(t, l, e)
		after := history(t, l)
		if len(after) == 0 || len(after) > record.HistoryLength {
			t.Fatalf("%q has %d events", text, len(after))
		}
		last := after[len(after)-1]
		if last.What != e.What || !last.At.Equal(e.At) {
			t.Fatalf("over %q the last event is %+v", text, last)
		}
		kept := after[:len(after)-1]
		if len(before) < len(kept) || !slices.EqualFunc(before[len(before)-len(kept):], kept, func(a, b record.Event) bool {
			a.At, b.At = a.At.UTC(), b.At.UTC()
			return a == b
		}) {
			t.Fatalf("%q was %+v and is %+v", text, before, kept)
		}
		for _, e := range after {
			for _, text := range []string{e.What, e.Fingerprint, e.Process, e.Detail, string(e.Keyring)} {
				if !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x1b\x00\u202e\u2028") {
					t.Fatalf("the history says %q", text)
				}
			}
		}
	})
}
