//go:build !windows

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

// place puts the files of an era, from testdata, where Maestral has them.
func place(t testing.TB, dir, era string) (conf, state string) {
	t.Helper()
	conf = filepath.Join(dir, ".config", "maestral", "work.ini")
	state = filepath.Join(dir, ".local", "share", "maestral", "work.state")
	write(t, conf, read(t, filepath.Join("testdata", era+".ini")))
	write(t, state, read(t, filepath.Join("testdata", era+".state")))
	return conf, state
}

func TestMaestralEras(t *testing.T) {
	for _, test := range []struct {
		era, account string
		keyring      keyring.ID
		kind         string
	}{
		{"v1.1", "dbid:AABBccddEEFF-legacy", keyring.Keychain, record.Legacy},
		{"v1.4.5", "dbid:AABBccddEEFF-middle", keyring.KWallet, record.Offline},
		{"v1.4.8", "dbid:AABBccddEEFF-flow", keyring.SecretService, record.Offline},
		{"v1.9", "dbid:AABBccddEEFF-today", keyring.Plaintext, record.Offline},
	} {
		t.Run(test.era, func(t *testing.T) {
			dir := home(t)
			conf, state := place(t, dir, test.era)
			confText, stateText := read(t, conf), read(t, state)
			l := layout(t, record.MaestralApp)
			want := record.Record{
				AccountID: test.account, Keyring: test.keyring, TokenAccessType: test.kind, Provider: "dropbox",
				Email: "ada@example.org", DisplayName: "Ada Lovelace",
			}
			r := load(t, l, "work")
			if !same(r, want) {
				t.Errorf("loaded %+v, want %+v", r, want)
			}
			if read(t, conf) != confText || read(t, state) != stateText {
				t.Error("loading changed the files")
			}

			r.AccountID, r.Keyring, r.TokenAccessType = "dbid:new", keyring.SecretService, record.Offline
			r.AppKey, r.Linked = "key", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			save(t, l, "work", r)
			if got := load(t, l, "work"); !same(got, r) {
				t.Errorf("loaded %+v, want %+v", got, r)
			}
			// The older Maestral that these files belong to must read it too, and a
			// newer one will move its keys.
			for _, old := range []string{test.account, "OS_X", "kwallet"} {
				if strings.Contains(read(t, conf), old) {
					t.Errorf("the old %s is still in\n%s", old, read(t, conf))
				}
			}
			if strings.Contains(confText, "[account]") != strings.Contains(read(t, conf), "[account]\naccount_id = dbid:new\n") {
				t.Errorf("the old place of the account id is\n%s", read(t, conf))
			}
			ours := []string{"account_id", "keyring", "token_access_type", "[auth]"}
			kept(t, confText, read(t, conf), ours)
			kept(t, stateText, read(t, state), ours)
			for _, mine := range []string{"app_key", "linked_at", "authring"} {
				if strings.Contains(read(t, conf)+read(t, state), mine) {
					t.Errorf("%s is in Maestral's files", mine)
				}
			}

			if err := l.Clear("work"); err != nil {
				t.Fatal(err)
			}
			if got := load(t, l, "work"); !same(got, record.Record{}) {
				t.Errorf("cleared, it still says %+v", got)
			}
			after := read(t, conf) + read(t, state)
			if strings.Contains(after, "dbid:") || strings.Contains(after, "offline") || strings.Contains(after, "SecretService") {
				t.Errorf("cleared, the files hold\n%s", after)
			}
			kept(t, confText, read(t, conf), ours)
			kept(t, stateText, read(t, state), append(ours, "email", "display_name"))
			if _, err := os.Stat(filepath.Join(l.StateFolder(), "links", "work.ini")); err == nil {
				t.Error("our own file about the link is still there")
			}
		})
	}
}

// kept checks that every line of before is in after, in order, but for those
// that are ours.
func kept(t *testing.T, before, after string, ours []string) {
	t.Helper()
	theirs := func(text string) []string {
		var lines []string
	next:
		for line := range strings.Lines(text) {
			for _, start := range ours {
				if strings.HasPrefix(line, start) {
					continue next
				}
			}
			if strings.TrimSpace(line) != "" {
				lines = append(lines, line)
			}
		}
		return lines
	}
	if a, b := strings.Join(theirs(before), ""), strings.Join(theirs(after), ""); a != b {
		t.Errorf("Maestral's lines became\n%s, want\n%s", b, a)
	}
}

func TestMaestralInBetween(t *testing.T) {
	dir := home(t)
	l := layout(t, record.MaestralApp)
	for name, test := range map[string]struct {
		conf, state string
		want        record.Record
	}{
		"a new version has looked at an old file": {
			"[auth]\naccount_id = \nkeyring = automatic\ntoken_access_type = offline\n[account]\naccount_id = a\n[app]\nkeyring = keyring.backends.OS_X.Keyring\n",
			"[account]\n",
			record.Record{AccountID: "a", Keyring: keyring.Keychain, TokenAccessType: record.Legacy},
		},
		"1.4.8 with a token from before 1.2": {
			"[auth]\naccount_id = a\nkeyring = automatic\n", "[auth]\ntoken_access_type = \n",
			record.Record{AccountID: "a", TokenAccessType: record.Legacy},
		},
		"1.4.8 after a look by 1.9": {
			"[auth]\naccount_id = a\nkeyring = automatic\ntoken_access_type = offline\n", "[auth]\ntoken_access_type = legacy\n",
			record.Record{AccountID: "a", TokenAccessType: record.Legacy},
		},
		"1.9 linked again after an unlink": {
			"[auth]\naccount_id = a\nkeyring = x.Unknown\ntoken_access_type = \n", "",
			record.Record{AccountID: "a", Keyring: "x.Unknown", TokenAccessType: record.Offline},
		},
		"no state file": {
			"[auth]\naccount_id = a\nkeyring = keyring.backends.libsecret.Keyring\n", "",
			record.Record{AccountID: "a", Keyring: keyring.SecretService, TokenAccessType: record.Legacy},
		},
		"a keyring chosen before linking": {
			"[auth]\naccount_id = \nkeyring = keyrings.alt.file.PlaintextKeyring\n", "[auth]\ntoken_access_type = offline\n",
			record.Record{Keyring: keyring.Plaintext},
		},
	} {
		write(t, filepath.Join(dir, ".config", "maestral", "work.ini"), test.conf)
		write(t, filepath.Join(dir, ".local", "share", "maestral", "work.state"), test.state)
		if !test.want.Empty() {
			test.want.Provider = "dropbox"
		}
		if got := load(t, l, "work"); !same(got, test.want) {
			t.Errorf("%s: loaded %+v, want %+v", name, got, test.want)
		}
	}
}

func TestMaestralKeyrings(t *testing.T) {
	dir := home(t)
	l := layout(t, record.MaestralApp)
	conf := filepath.Join(dir, ".config", "maestral", "work.ini")
	for id, class := range map[keyring.ID]string{
		keyring.SecretService: "keyring.backends.SecretService.Keyring",
		keyring.KWallet:       "keyring.backends.kwallet.DBusKeyring",
		keyring.Keychain:      "keyring.backends.macOS.Keyring",
		keyring.Plaintext:     "keyrings.alt.file.PlaintextKeyring",
		"":                    "automatic",
	} {
		r := full()
		r.Keyring = id
		save(t, l, "work", r)
		if got := read(t, conf); !strings.Contains(got, "\nkeyring = "+class+"\n") {
			t.Errorf("%s is written as\n%s", id, got)
		}
		if got := load(t, l, "work"); got.Keyring != id {
			t.Errorf("%s came back as %s", id, got.Keyring)
		}
	}
	before := read(t, conf)
	for _, id := range []keyring.ID{keyring.Sealed, keyring.WinCred, "x.Unknown"} {
		r := full()
		r.Keyring = id
		if err := l.Save("work", r); err == nil || !strings.Contains(err.Error(), string(id)) || !strings.Contains(err.Error(), "secret-service") {
			t.Errorf("Save with %s = %v, want an error that says what to choose", id, err)
		}
	}
	r := full()
	r.Provider = "example"
	if err := l.Save("work", r); err == nil || !strings.Contains(err.Error(), "Dropbox") {
		t.Errorf("Save with another provider = %v", err)
	}
	if got := read(t, conf); got != before {
		t.Errorf("a refused record changed the file to\n%s", got)
	}
	// What stands for the same keyring stays, unless Maestral fails on it.
	for was, want := range map[string]string{
		"keyring.backends.kwallet.DBusKeyringKWallet4": "keyring.backends.kwallet.DBusKeyringKWallet4",
		"keyring.backends.libsecret.Keyring":           "keyring.backends.libsecret.Keyring",
		"keyring.backends.OS_X.Keyring":                "keyring.backends.macOS.Keyring",
		"x.Unknown":                                    "x.Unknown",
	} {
		write(t, conf, "[auth]\naccount_id = a\nkeyring = "+was+"\n")
		save(t, l, "work", load(t, l, "work"))
		if got := read(t, conf); !strings.Contains(got, "\nkeyring = "+want+"\n") {
			t.Errorf("%s became\n%s", was, got)
		}
	}
}

func TestWhatOnlyWeKnowIsOfOneAccount(t *testing.T) {
	dir := home(t)
	l := layout(t, record.MaestralApp)
	r := full()
	r.Revoked = &record.Revocation{At: noon(), Reason: "why"}
	save(t, l, "work", r)
	// Maestral links another account.
	conf := filepath.Join(dir, ".config", "maestral", "work.ini")
	write(t, conf, strings.Replace(read(t, conf), r.AccountID, "dbid:other", 1))
	got := load(t, l, "work")
	if got.AccountID != "dbid:other" || got.Revoked != nil || got.AppKey != "" || !got.Linked.IsZero() {
		t.Errorf("the other account has %+v", got)
	}
	save(t, l, "work", got)
	if got := load(t, l, "work"); got.Revoked != nil || got.AppKey != "" {
		t.Errorf("saved, the other account has %+v", got)
	}
}

func TestABrokenStateFileIsNamed(t *testing.T) {
	dir := home(t)
	_, state := place(t, dir, "v1.4.8")
	write(t, state, "[auth]\ntoken_access_type\n")
	l := layout(t, record.MaestralApp)
	_, err := l.Load("work")
	for what, err := range map[string]error{"Load": err, "Save": l.Save("work", full()), "Clear": l.Clear("work")} {
		if err == nil || !strings.Contains(err.Error(), state+", line 2") {
			t.Errorf("%s = %v, want %s, line 2", what, err, state)
		}
	}
}

func TestMaestralsFilesChangeTogether(t *testing.T) {
	dir := home(t)
	l := layout(t, record.MaestralApp)
	conf, state := place(t, dir, "v1.4.8")
	// The file that is written last has no room for another line.
	text := read(t, conf)
	write(t, conf, text+"#"+strings.Repeat("x", 1<<20-len(text)-1))
	before, stateText := load(t, l, "work"), read(t, state)
	r := before
	r.AccountID, r.TokenAccessType, r.AppKey = before.AccountID+"-new", record.Legacy, "key"
	var file *record.FileError
	if err := l.Save("work", r); !errors.As(err, &file) || file.Path != conf {
		t.Fatalf("Save = %v, want an error about %s", err, conf)
	}
	if got := load(t, l, "work"); !same(got, before) {
		t.Errorf("after a failed Save we read %+v, want %+v", got, before)
	}
	if got := read(t, state); got != stateText {
		t.Errorf("the state file is\n%s, want\n%s", got, stateText)
	}
	if _, err := os.Lstat(filepath.Join(l.StateFolder(), "links", "work.ini")); !os.IsNotExist(err) {
		t.Errorf("our own file about the link stays: %v", err)
	}
}

func TestCheckKeyring(t *testing.T) {
	home(t)
	for app, without := range map[string][]keyring.ID{
		record.MaestralApp: {keyring.Sealed, keyring.WinCred, "pass"},
		record.DefaultApp:  nil,
	} {
		l := layout(t, app)
		for _, id := range []keyring.ID{keyring.Keychain, keyring.SecretService, keyring.KWallet, keyring.Plaintext, keyring.WinCred, keyring.Sealed, "pass"} {
			if err := l.CheckKeyring(id); (err != nil) != slices.Contains(without, id) {
				t.Errorf("%s: CheckKeyring(%s) = %v", app, id, err)
			}
		}
	}
	if err := (record.Layout{}).CheckKeyring(keyring.Plaintext); err == nil {
		t.Error("a Layout that NewLayout did not make has keyrings")
	}
}

func TestUserNames(t *testing.T) {
	home(t)
	if got := record.UserName("work", "dbid:A"); got != "config:work:dbid:A" {
		t.Errorf("UserName = %q", got)
	}
	if got := layout(t, "Maestral").OldUserNames("work", "dbid:A"); !slices.Equal(got, []string{"dbid:A"}) {
		t.Errorf("OldUserNames of Maestral = %q", got)
	}
	// Without a name some keyrings would take any item of the service.
	for _, got := range [][]string{
		layout(t, "Maestral").OldUserNames("work", ""), layout(t, "authring").OldUserNames("work", "dbid:A"),
	} {
		if len(got) > 0 {
			t.Errorf("OldUserNames = %q, want none", got)
		}
	}
	if filepath.Base(layout(t, "Maestral").ConfigPath("work")) != "work.ini" {
		t.Error("Maestral's file has another name")
	}
}
