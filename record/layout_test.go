package record_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/record"
)

func TestConfigNames(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	long := strings.Repeat("n", 64)
	for _, name := range []string{"default", "work", "a", "ada@example.org", "a.b", "Büro", "職場", "a_b-c+d", "1", long, "a=b", "[x]", "$HOME"} {
		if err := record.CheckConfigName(name); err != nil {
			t.Errorf("CheckConfigName(%q) = %v", name, err)
		}
		save(t, l, name, full())
		if got := load(t, l, name); !same(got, full()) {
			t.Errorf("%q: loaded %+v", name, got)
		}
	}
	for _, name := range []string{
		"", ".", "..", "a..b", "../x", "a/b", `a\b`, "a b", "a\tb", "a\nb", " a", "a\u00a0b", "a\u2003b", "a\x00", "\x7f", "a\u200bb",
		"a\u202eb", "-c", "--help", ".hidden", "end.", "a:b", "a*", "what?", `a"b`, "<a>", "a|b", long + "n", "\xff", strings.Repeat("é", 33),
	} {
		var bad *record.NameError
		if err := record.CheckConfigName(name); !errors.As(err, &bad) || bad.Name != name || !strings.Contains(err.Error(), "64 bytes") {
			t.Errorf("CheckConfigName(%q) = %v, want a NameError that says what is allowed", name, err)
		}
		_, loadErr := l.Load(name)
		_, pendingErr := l.LoadPending(name, time.Now())
		for what, err := range map[string]error{
			"Load": loadErr, "Save": l.Save(name, full()), "Clear": l.Clear(name), "LoadPending": pendingErr,
			"SavePending": l.SavePending(name, begun(time.Now())), "DropPending": l.DropPending(name),
		} {
			if !errors.As(err, &bad) {
				t.Errorf("%s(%q) = %v, want a NameError", what, name, err)
			}
		}
		for _, path := range []string{l.ConfigPath(name), l.LockPath(name), l.PendingPath(name)} {
			if path != "" {
				t.Errorf("a path for %q: %s", name, path)
			}
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

func TestAppNames(t *testing.T) {
	home(t)
	for _, app := range []string{"", "a b", "../x", "a/b", "maestral", "MAESTRAL", "-x", ".x"} {
		var bad *record.NameError
		if _, err := record.NewLayout(app); !errors.As(err, &bad) {
			t.Errorf("NewLayout(%q) = %v, want a NameError", app, err)
		}
	}
}

func TestZeroLayout(t *testing.T) {
	var l record.Layout
	_, load := l.Load("x")
	_, list := l.List()
	_, revocations := l.Revocations()
	_, pending := l.LoadPending("x", time.Now())
	for i, err := range []error{
		load, list, revocations, pending, l.Save("x", full()), l.Clear("x"), l.SavePending("x", begun(time.Now())), l.DropPending("x"),
		l.AddRevocation(grant("a")), l.RemoveRevocation("a"),
	} {
		if err == nil {
			t.Errorf("call %d works", i)
		}
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
