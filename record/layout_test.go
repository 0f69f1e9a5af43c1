package record_test

import (
	"errors"
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
