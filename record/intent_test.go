package record_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

func intentFile(l record.Layout) string {
	return filepath.Join(l.StateFolder(), "intents", "work.json")
}

func intent() record.Intent {
	return record.Intent{Record: full(), Fingerprint: "0123456789ab", OldAccountID: "dbid:old", OldKeyring: keyring.KWallet}
}

func sameIntent(a, b record.Intent) bool {
	if !same(a.Record, b.Record) {
		return false
	}
	a.Record, b.Record = record.Record{}, record.Record{}
	return a == b
}

func TestIntent(t *testing.T) {
	home(t)
	for _, app := range apps() {
		l := layout(t, app)
		if i, ok, err := l.LoadIntent("work"); ok || err != nil {
			t.Errorf("%s: at first there is %+v, %v", app, i, err)
		}
		first := intent()
		first.OldAccountID, first.OldKeyring = "", ""
		first.Record.Scope, first.Record.Email, first.Record.DisplayName = "", "", ""
		migration := intent()
		migration.OldAccountID, migration.Migration = migration.Record.AccountID, true
		for _, want := range []record.Intent{intent(), first, migration} {
			if err := l.SaveIntent("work", want); err != nil {
				t.Fatal(err)
			}
			if got, ok, err := l.LoadIntent("work"); err != nil || !ok || !sameIntent(got, want) {
				t.Errorf("%s: loaded %+v, %v, %v; want %+v", app, got, ok, err, want)
			}
		}
		wantMode(t, intentFile(l), 0o600)
		for range 2 {
			if err := l.DropIntent("work"); err != nil {
				t.Error(err)
			}
		}
		if _, ok, err := l.LoadIntent("work"); ok || err != nil {
			t.Errorf("%s: it was dropped, and is there: %v", app, err)
		}
	}
}

// TestIntentNamesWhatWasBefore: by which the item of the link before is found
// and deleted, after a process has died too.
func TestIntentNamesWhatWasBefore(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	i := intent()
	i.Migration = true
	if err := l.SaveIntent("work", i); err != nil {
		t.Fatal(err)
	}
	text := read(t, intentFile(l))
	before := []string{`"old_account_id": "dbid:old"`, `"old_keyring": "kwallet"`, `"migration": true`}
	for _, line := range before {
		if !strings.Contains(text, line) {
			t.Errorf("the note has no %s:\n%s", line, text)
		}
	}
	for _, line := range before[:2] {
		name, _, _ := strings.Cut(line, ": ")
		for _, value := range []string{`"two\nlines"`, `"control\u0007"`, "7", "{}"} {
			write(t, intentFile(l), strings.Replace(text, line, name+": "+value, 1))
			if got, ok, err := l.LoadIntent("work"); ok || err == nil {
				t.Errorf("%s: %s is loaded as %+v", name, value, got)
			}
		}
	}
	i.OldKeyring = "k\nx"
	if err := l.SaveIntent("work", i); err == nil {
		t.Error("a keyring of two lines is saved")
	}

	// A first link has nothing before it.
	if err := l.SaveIntent("work", record.Intent{Record: full(), Fingerprint: "0123456789ab"}); err != nil {
		t.Fatal(err)
	}
	if text := read(t, intentFile(l)); strings.Contains(text, "old_") || strings.Contains(text, "migration") {
		t.Errorf("the note of a first link is\n%s", text)
	}
	if got, ok, err := l.LoadIntent("work"); !ok || err != nil || got.OldAccountID != "" || got.OldKeyring != "" || got.Migration {
		t.Errorf("loaded %+v, %v", got, err)
	}
}

// What is loaded can be saved as a record: recovery depends on it.
func TestIntentBecomesARecord(t *testing.T) {
	home(t)
	for _, app := range apps() {
		l := layout(t, app)
		want := intent()
		want.Record.DisplayName = "Ada\n[auth]\naccount_id = evil"
		want.Record.Linked = want.Record.Linked.In(time.FixedZone("there", 7200))
		if err := l.SaveIntent("work", want); err != nil {
			t.Fatal(err)
		}
		got, _, err := l.LoadIntent("work")
		if err != nil {
			t.Fatal(err)
		}
		save(t, l, "work", got.Record)
		if loaded := load(t, l, "work"); loaded.AccountID != full().AccountID || !loaded.Linked.Equal(full().Linked) {
			t.Errorf("%s: the record is %+v", app, loaded)
		}
	}
}

func TestIntentThatCannotBeSaved(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	if err := l.SaveIntent("work", intent()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*record.Intent){
		"no secret":         func(i *record.Intent) { i.Fingerprint = "" },
		"a broken secret":   func(i *record.Intent) { i.Fingerprint = "a\nb" },
		"no account":        func(i *record.Intent) { i.Record.AccountID = "" },
		"no keyring":        func(i *record.Intent) { i.Record.Keyring = "" },
		"an old line break": func(i *record.Intent) { i.OldAccountID = "a\nb" },
		"a broken app key":  func(i *record.Intent) { i.Record.AppKey = " k" },
	} {
		i := intent()
		change(&i)
		if err := l.SaveIntent("work", i); err == nil {
			t.Errorf("%s: saved", name)
		}
		if got, ok, err := l.LoadIntent("work"); err != nil || !ok || !sameIntent(got, intent()) {
			t.Errorf("%s: the one before became %+v, %v, %v", name, got, ok, err)
		}
	}
	for _, name := range []string{"", "..", "a/b"} {
		_, _, err := l.LoadIntent(name)
		if err == nil || l.SaveIntent(name, intent()) == nil || l.DropIntent(name) == nil {
			t.Errorf("%q is taken for a config name", name)
		}
	}
}

func TestIntentThatIsDamaged(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	const good = `{"version":1,"fingerprint":"f","account_id":"a","keyring":"k","token_access_type":"offline","provider":"dropbox","app_key":"x","linked_at":"2026-03-04T05:06:07Z"}`
	write(t, intentFile(l), good)
	if _, ok, err := l.LoadIntent("work"); !ok || err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, text := range map[string]string{
		"empty": "", "zeros": strings.Repeat("\x00", 100), "cut short": good[:len(good)/2], "null": "null",
		"another version": strings.Replace(good, `:1`, `:2`, 1),
		"no secret":       strings.Replace(good, `"f"`, `""`, 1),
		"no account":      strings.Replace(good, `"a"`, `""`, 1),
		"no keyring":      strings.Replace(good, `"k"`, `""`, 1),
		"two lines":       strings.Replace(good, `"x"`, `"x\ny"`, 1),
		"a number":        strings.Replace(good, `"a"`, `1`, 1),
		"no time":         strings.Replace(good, "2026", "year", 1),
	} {
		write(t, intentFile(l), text)
		if _, ok, err := l.LoadIntent("work"); ok || err == nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		} else if file := (*record.FileError)(nil); name != "two lines" && !errors.As(err, &file) {
			t.Errorf("%s: the error names no file: %v", name, err)
		}
		if got := read(t, intentFile(l)); got != text {
			t.Errorf("%s: the file was changed", name)
		}
		if err := l.SaveIntent("work", intent()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
