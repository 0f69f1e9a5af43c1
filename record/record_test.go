package record_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

func TestRoundTrip(t *testing.T) {
	home(t)
	revoked := full()
	revoked.Revoked = &record.Revocation{At: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), Reason: "invalid_grant: token revoked"}
	revokedSometime := full()
	revokedSometime.Revoked = &record.Revocation{}
	for name, r := range map[string]record.Record{
		"full": full(), "revoked": revoked, "revoked-sometime": revokedSometime,
		"least":   {AccountID: "x", TokenAccessType: record.Legacy, Provider: "dropbox"},
		"newer":   {AccountID: "x = [y] # z; %(a)s", Keyring: "quantum-vault", TokenAccessType: "dpop", Provider: "example", AppKey: "=:#;"},
		"unicode": {AccountID: "é", TokenAccessType: record.Offline, Provider: "dropbox", DisplayName: "Þórður 織田 \U0001F600 # x"},
	} {
		for _, app := range append(apps(), "other-app") {
			if app == record.MaestralApp && name == "newer" {
				continue
			}
			l := layout(t, app)
			save(t, l, name, r)
			if got := load(t, l, name); !same(got, r) {
				t.Errorf("%s, %s: loaded\n%+v, want\n%+v", app, name, got, r)
			}
		}
	}
}

func TestFileAsDocumented(t *testing.T) {
	dir := home(t)
	l := layout(t, record.DefaultApp)
	save(t, l, "work", full())
	path := filepath.Join(dir, ".config", "authring", "work.ini")
	want := `[auth]
account_id = dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc
keyring = secret-service
token_access_type = offline
provider = dropbox
app_key = 2jmbq42w7vof78h
scope = account_info.read files.metadata.read
linked_at = 2026-03-04T05:06:07Z

[account]
email = ada@example.org
display_name = Ada Lovelace
`
	if got := read(t, path); got != want {
		t.Errorf("the file is\n%s, want\n%s", got, want)
	}
	wantMode(t, path, 0o600)
	wantMode(t, filepath.Dir(path), 0o700)
}

func TestNothingRecorded(t *testing.T) {
	dir := home(t)
	for _, app := range apps() {
		l := layout(t, app)
		if r := load(t, l, "work"); r != (record.Record{}) || !r.Empty() {
			t.Errorf("%s: Load of no file = %+v", app, r)
		}
		if err := l.Clear("work"); err != nil {
			t.Errorf("%s: Clear of no file = %v", app, err)
		}
		if names, err := l.List(); len(names) != 0 || err != nil {
			t.Errorf("%s: List = %v, %v", app, names, err)
		}
		if err := l.Save("work", record.Record{Keyring: keyring.KWallet}); err == nil {
			t.Errorf("%s: a record without an account was saved", app)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("files were made: %v, %v", entries, err)
	}
}

func TestReadByHand(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	write(t, l.ConfigPath("work"), "# mine\n[auth]\nACCOUNT_ID: dbid:A\nkeyring=keyring.backends.kwallet.DBusKeyring\n"+
		"scope = a.b\n  c.d\n\te.f\nlinked_at = yesterday\nrevoked_at = today\n")
	got := load(t, l, "work")
	want := record.Record{
		AccountID: "dbid:A", Keyring: keyring.KWallet, TokenAccessType: record.Legacy, Provider: "dropbox", Scope: "a.b c.d e.f",
		Revoked: &record.Revocation{},
	}
	if !same(got, want) {
		t.Errorf("loaded %+v, want %+v", got, want)
	}
}

func TestForeignLinesStay(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	path := l.ConfigPath("work")
	write(t, path, "; top\n[ui]\ncolour = red\n\n[auth]\n# whose\naccount_id = old\nfuture = 1\n   2\nkeyring : wincred\n\n[x]\ny=z\n")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	r := full()
	save(t, l, "work", r)
	want := "; top\n[ui]\ncolour = red\n\n[auth]\n# whose\naccount_id = " + r.AccountID + "\nfuture = 1\n   2\nkeyring = secret-service\n" +
		"token_access_type = offline\nprovider = dropbox\napp_key = 2jmbq42w7vof78h\n" +
		"scope = account_info.read files.metadata.read\nlinked_at = 2026-03-04T05:06:07Z\n\n[x]\ny=z\n\n" +
		"[account]\nemail = ada@example.org\ndisplay_name = Ada Lovelace\n"
	if got := read(t, path); got != want {
		t.Errorf("saved as\n%s, want\n%s", got, want)
	}
	wantMode(t, path, 0o640)
	if err := l.Clear("work"); err != nil {
		t.Fatal(err)
	}
	want = "; top\n[ui]\ncolour = red\n\n[auth]\n# whose\nfuture = 1\n   2\n\n[x]\ny=z\n\n"
	if got := read(t, path); got != want {
		t.Errorf("cleared to\n%q, want\n%q", got, want)
	}
	if r := load(t, l, "work"); !r.Empty() {
		t.Errorf("still linked: %+v", r)
	}
}

func TestClearRemovesOurOwnFile(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	save(t, l, "work", full())
	if err := l.Clear("work"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(l.ConfigPath("work")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Lstat = %v, want no file", err)
	}
}

func TestAnUnchangedRecordIsNotWritten(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	path := l.ConfigPath("work")
	save(t, l, "work", full())
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	save(t, l, "work", full())
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file was replaced, %v", err)
	}
}

func TestValuesDoNotBecomeLines(t *testing.T) {
	home(t)
	for _, app := range apps() {
		l := layout(t, app)
		r := full()
		r.DisplayName = "Ada\n[auth]\naccount_id = evil\r\nx\u2028y\u202ez\x1b[31m\x00"
		r.Email = " ada@example.org\n"
		r.Revoked = &record.Revocation{Reason: "a\nb" + strings.Repeat("é", 1000)}
		save(t, l, "work", r)
		got := load(t, l, "work")
		if got.AccountID != r.AccountID || got.DisplayName != "Ada [auth] account_id = evil  x y z [31m" || got.Email != "ada@example.org" {
			t.Errorf("%s: loaded %+v", app, got)
		}
		if reason := got.Revoked.Reason; !strings.HasPrefix(reason, "a bé") || len(reason) > 512 {
			t.Errorf("%s: reason %q", app, reason)
		}
		for _, bad := range []string{"a\nb", "a\r", " a", "a ", "\x00", "a\x7f", "\xff", "a\u2028b", "a\u202eb", strings.Repeat("x", 2000)} {
			for name, change := range map[string]func(*record.Record){
				"account id":        func(r *record.Record) { r.AccountID = bad },
				"keyring":           func(r *record.Record) { r.Keyring = keyring.ID(bad) },
				"token access type": func(r *record.Record) { r.TokenAccessType = bad },
				"provider":          func(r *record.Record) { r.Provider = bad },
				"app key":           func(r *record.Record) { r.AppKey = bad },
			} {
				r := full()
				change(&r)
				if err := l.Save("work", r); err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("%s: Save with %s %q = %v, want an error that names it", app, name, bad, err)
				}
			}
		}
		if after := load(t, l, "work"); !same(after, got) {
			t.Errorf("%s: a refused record changed the file to %+v", app, after)
		}
	}
}

func TestBrokenFilesAreNamedAndKept(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	path := l.ConfigPath("work")
	for _, test := range []struct {
		text string
		line int
		says string
	}{
		{"account_id = x\n", 1, "before the first [section]"},
		{"[auth]\naccount_id = a\n\n[auth]\n", 4, "second section"},
		{"[auth]\naccount_id = a\nAccount_ID = b\n", 3, "second value"},
		{"[auth]\nwhat is this\n", 2, "key = value"},
		{"# x\n[auth]\naccount_id = a\n  b\n", 3, "account_id"},
		{"[auth]\naccount_id = a\nkeyring = \x1b[2J\n", 3, "keyring"},
		{"[DEFAULT]\napp_key = \u202e\n[auth]\naccount_id = a\n", 2, "app_key"},
		{"\x7fELF\x00\x00", 1, "NUL"},
		{"[auth]\naccount_id = " + strings.Repeat("x", 3000) + "\n", 2, "account_id"},
		{"[auth]\naccount_id = a\n#" + strings.Repeat("x", 1<<20), 0, "larger"},
	} {
		write(t, path, test.text)
		var file *record.FileError
		_, err := l.Load("work")
		if !errors.As(err, &file) || file.Path != path || file.Line != test.line || !strings.Contains(err.Error(), test.says) {
			t.Errorf("Load of %.40q = %v, want %s, line %d: %s", test.text, err, path, test.line, test.says)
		}
		if names, err := l.List(); err != nil || !slices.Equal(names, []string{"work"}) {
			t.Errorf("List = %v, %v; want the broken record in it", names, err)
		}
	}
	for _, text := range []string{"no section\n", "[auth]\nkey\n", "\xff\xfe"} {
		write(t, path, text)
		for name, err := range map[string]error{"Save": l.Save("work", full()), "Clear": l.Clear("work")} {
			if file := (*record.FileError)(nil); !errors.As(err, &file) {
				t.Errorf("%s over %q = %v, want a FileError", name, text, err)
			}
		}
		if got := read(t, path); got != text {
			t.Errorf("%q was overwritten with %q", text, got)
		}
	}
}

func TestList(t *testing.T) {
	home(t)
	for _, app := range apps() {
		l := layout(t, app)
		for _, name := range []string{"work", "default", "B"} {
			save(t, l, name, full())
		}
		folder := l.ConfigFolder()
		for _, name := range []string{"notes.txt", ".hidden.ini", "with space.ini", ".ini", "x.ini.bak", ".work.ini.123.tmp", "-f.ini"} {
			write(t, filepath.Join(folder, name), "[auth]\naccount_id = a\n")
		}
		write(t, filepath.Join(folder, "foreign.ini"), "[window]\nwidth = 3\n")
		write(t, filepath.Join(folder, "unlinked.ini"), "[auth]\naccount_id = \nkeyring = automatic\n")
		write(t, filepath.Join(folder, "broken.ini"), "?\n")
		write(t, filepath.Join(folder, "backups", "work.ini.bak"), "?\n")
		if err := os.Mkdir(filepath.Join(folder, "folder.ini"), 0o700); err != nil {
			t.Fatal(err)
		}
		if names, err := l.List(); err != nil || !slices.Equal(names, []string{"B", "broken", "default", "work"}) {
			t.Errorf("%s: List = %v, %v", app, names, err)
		}
	}
}
