package record_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/authring/authring/internal/ini"
	"github.com/authring/authring/record"
)

// FuzzRecord reads arbitrary files, in both layouts, and writes a record over
// those that can be read.
func FuzzRecord(f *testing.F) {
	for _, era := range []string{"v1.1", "v1.4.5", "v1.4.8", "v1.9"} {
		f.Add(read(f, filepath.Join("testdata", era+".ini")), read(f, filepath.Join("testdata", era+".state")), "Ada")
	}
	f.Add("[auth]\naccount_id = a\nscope = b\n  c\n[account]\nemail: x\n", "", "Ada\n[auth]\naccount_id = evil")
	f.Add("  [auth]\n\taccount_id = a\n[x]\r\ny = z", "[account]\nemail = \n\n", "\u202e")
	home(f)
	var layouts []record.Layout
	for _, app := range apps() {
		layouts = append(layouts, layout(f, app))
	}
	home, err := os.UserHomeDir()
	if err != nil {
		f.Fatal(err)
	}
	state := filepath.Join(home, ".local", "share", "maestral", "work.state")
	extra := filepath.Join(layouts[len(layouts)-1].StateFolder(), "links", "work.ini")
	f.Fuzz(func(t *testing.T, confText, stateText, name string) {
		for _, l := range layouts {
			conf := l.ConfigPath("work")
			write(t, conf, confText)
			write(t, state, stateText)
			if err := os.Remove(extra); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			if _, err := l.Load("work"); err != nil {
				return
			}
			want := full()
			want.DisplayName = name
			if err := l.Save("work", want); err != nil {
				t.Fatalf("a file that can be read cannot be written: %v", err)
			}
			got := load(t, l, "work")
			// Only the text for people may have been cleaned, and once is
			// enough.
			want.DisplayName = got.DisplayName
			if !same(got, want) {
				t.Fatalf("over %q, %q: loaded %+v, want %+v", confText, stateText, got, want)
			}
			save(t, l, "work", got)
			if again := load(t, l, "work"); !same(again, got) {
				t.Fatalf("saved again, it is %+v, want %+v", again, got)
			}
			foreign(t, confText, read(t, conf))
			if l.Maestral() {
				foreign(t, stateText, read(t, state))
			}
			if err := l.Clear("work"); err != nil {
				t.Fatal(err)
			}
			// What [DEFAULT] says is not ours to clear.
			if got := load(t, l, "work"); !got.Empty() && !ours(t, confText).Has("DEFAULT", "account_id") {
				t.Fatalf("cleared, %q still says %+v", confText, got)
			}
		}
	})
}

func ours(t *testing.T, text string) *ini.File {
	t.Helper()
	f, err := ini.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// foreign checks that everything but a link's own keys is as it was.
func foreign(t *testing.T, before, after string) {
	t.Helper()
	a, b := ours(t, before), ours(t, after)
	for _, section := range append(a.Sections(), "DEFAULT") {
		for _, key := range a.Keys(section) {
			switch section {
			case "auth", "account", "app":
				continue
			}
			was, _ := a.Get(section, key)
			if is, ok := b.Get(section, key); !ok || is != was {
				t.Fatalf("[%s] %s was %q and is %q", section, key, was, is)
			}
		}
	}
}
