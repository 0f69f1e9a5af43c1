package ini_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/authring/authring/internal/ini"
)

const sample = "; made by hand\n" +
	"[DEFAULT]\nlog = all\n\n" +
	"[auth]\n# who\nAccount_ID:dbid:A\nkeyring   =   some.Class  \nscope = one\n  two\n\n  three\nempty = \n\n" +
	"[sync]\r\npath = /home/ada/Dropbox (Maestral)\r\nexcluded_items = ['/a', '/b # not a comment']\r\n" +
	"[main]\nversion = 16.0.0"

func parse(t *testing.T, text string) *ini.File {
	t.Helper()
	f, err := ini.Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse = %v", err)
	}
	return f
}

func text(t *testing.T, f *ini.File) string {
	t.Helper()
	data, err := f.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestParse(t *testing.T) {
	f := parse(t, sample)
	if got := text(t, f); got != sample {
		t.Errorf("unedited, it is written as\n%q, want\n%q", got, sample)
	}
	for _, test := range []struct {
		section, key, want string
		ok                 bool
	}{
		{"auth", "account_id", "dbid:A", true},
		{"auth", "keyring", "some.Class", true},
		{"auth", "scope", "one\ntwo\n\nthree", true},
		{"auth", "empty", "", true},
		{"auth", "missing", "", false},
		{"auth", "log", "all", true},
		{"DEFAULT", "log", "all", true},
		{"Auth", "account_id", "", false},
		{"none", "log", "", false},
		{"sync", "path", "/home/ada/Dropbox (Maestral)", true},
		{"sync", "excluded_items", "['/a', '/b # not a comment']", true},
		{"main", "version", "16.0.0", true},
	} {
		if got, ok := f.Get(test.section, test.key); got != test.want || ok != test.ok {
			t.Errorf("Get(%s, %s) = %q, %v; want %q, %v", test.section, test.key, got, ok, test.want, test.ok)
		}
	}
	if f.Has("auth", "log") || !f.Has("auth", "empty") || f.Has("none", "log") {
		t.Error("Has is wrong")
	}
	if a, b, c := f.Line("auth", "account_id"), f.Line("auth", "log"), f.Line("auth", "none"); a != 7 || b != 3 || c != 0 {
		t.Errorf("Line = %d, %d, %d; want 7, 3, 0", a, b, c)
	}
	if got := f.Sections(); !slices.Equal(got, []string{"auth", "sync", "main"}) {
		t.Errorf("Sections = %v", got)
	}
	if got := f.Keys("auth"); !slices.Equal(got, []string{"account_id", "keyring", "scope", "empty"}) {
		t.Errorf("Keys = %v", got)
	}
}

func TestSyntaxErrors(t *testing.T) {
	for _, test := range []struct {
		text string
		line int
		says string
	}{
		{"a = 1\n[x]\n", 1, "before the first [section]"},
		{"# c\n\n  a\n", 3, "before the first [section]"},
		{"[x]\na = 1\nb\n", 3, "key = value"},
		{"[x]\na = 1\nA : 2\n", 3, "second value"},
		{"[x]\n[y]\n\n[x]\n", 4, "second section"},
		{"[x]\n= 1\n", 2, "no key"},
		{"[x]\na = \xff\n", 2, "UTF-8"},
		{"[x]\na = \x00\n", 2, "NUL"},
		{"\ufeff[x]\n", 1, "byte order mark"},
		{"[]\n", 1, "before the first [section]"},
		{"[x\ny\n", 1, "before the first [section]"},
	} {
		_, err := ini.Parse([]byte(test.text))
		var syntax *ini.SyntaxError
		if !errors.As(err, &syntax) || syntax.Line != test.line || !strings.Contains(err.Error(), test.says) {
			t.Errorf("Parse(%q) = %v, want line %d, %s", test.text, err, test.line, test.says)
		}
	}
}

func TestEditsTouchOneOption(t *testing.T) {
	for _, test := range []struct {
		name, before string
		edit         func(*ini.File)
		after        string
	}{
		{"the same value", "[a]\nK:  v\n", func(f *ini.File) { f.Set("a", "k", "v") }, "[a]\nK:  v\n"},
		{"another value", "[a]\nk = v\nl = w\n", func(f *ini.File) { f.Set("a", "k", "x") }, "[a]\nk = x\nl = w\n"},
		{"an empty value", "[a]\nk = v\n", func(f *ini.File) { f.Set("a", "k", "") }, "[a]\nk = \n"},
		{
			"a long value", "[a]\nk = v\n  w\n# stays\n\n  x\nl = 1\n",
			func(f *ini.File) { f.Set("a", "k", "y") }, "[a]\nk = y\n# stays\n\nl = 1\n",
		},
		{"a new key", "[a]\nk = v\n\n[b]\n", func(f *ini.File) { f.Set("a", "l", "w") }, "[a]\nk = v\nl = w\n\n[b]\n"},
		{
			"a new key below a long value", "[a]\n k = v\n   w\n[b]\n",
			func(f *ini.File) { f.Set("a", "l", "w") }, "[a]\n k = v\n   w\n l = w\n[b]\n",
		},
		{"a first key", "[a]\n  [b]\n", func(f *ini.File) { f.Set("a", "l", "w") }, "[a]\n  l = w\n  [b]\n"},
		{"no last line end", "[a]\nk = v", func(f *ini.File) { f.Set("a", "l", "w") }, "[a]\nk = v\nl = w\n"},
		{"CR LF", "[a]\r\nk = v\r\n", func(f *ini.File) { f.Set("a", "l", "w"); f.Set("b", "c", "d") }, "[a]\r\nk = v\r\nl = w\r\n\r\n[b]\r\nc = d\r\n"},
		{"a new file", "", func(f *ini.File) { f.Set("a", "k", "v") }, "[a]\nk = v\n"},
		{"a new section", "[a]\nk = v\n", func(f *ini.File) { f.Set("b", "k", "v") }, "[a]\nk = v\n\n[b]\nk = v\n"},
		{"over a default", "[DEFAULT]\nk = v\n[a]\n", func(f *ini.File) { f.Set("a", "k", "v") }, "[DEFAULT]\nk = v\n[a]\nk = v\n"},
		{"delete", "[a]\nk = v\n  w\nl = 1\n", func(f *ini.File) { f.Delete("a", "k") }, "[a]\nl = 1\n"},
		{"delete nothing", "[a]\nk = v\n", func(f *ini.File) { f.Delete("a", "x"); f.Delete("b", "k") }, "[a]\nk = v\n"},
		{"prune", "[a]\n\n[b]\nk = v\n", func(f *ini.File) { f.Prune("a"); f.Prune("b"); f.Prune("c") }, "[b]\nk = v\n"},
		{"prune keeps comments", "[a]\n# mine\n", func(f *ini.File) { f.Prune("a") }, "[a]\n# mine\n"},
		{
			"prune before a deeper header", "[x]\nk = v\n[a]\n  [b]\n",
			func(f *ini.File) { f.Prune("a") }, "[x]\nk = v\n[a]\n  [b]\n",
		},
	} {
		f := parse(t, test.before)
		test.edit(f)
		if got := text(t, f); got != test.after {
			t.Errorf("%s: got\n%q, want\n%q", test.name, got, test.after)
		}
	}
}

func TestValuesThatNoLineHolds(t *testing.T) {
	for _, value := range []string{"a\n[b]", "a\rb", " a", "a\t", "a\x00b", "\u00a0a", "\xff"} {
		f := parse(t, "[a]\nk = v\n")
		f.Set("a", "k", value)
		if data, err := f.Bytes(); err == nil {
			t.Errorf("Set(%q) is written as %q, want an error", value, data)
		}
	}
}

// values returns all that a file says.
func values(f *ini.File) map[[2]string]string {
	all := map[[2]string]string{}
	for _, section := range append(f.Sections(), "DEFAULT") {
		for _, key := range f.Keys(section) {
			all[[2]string{section, key}], _ = f.Get(section, key)
		}
	}
	return all
}

func FuzzEdit(f *testing.F) {
	f.Add(sample, "auth", "account_id", "dbid:B")
	f.Add("[auth]\n\tk = v\n\t\tw\n  [x]\n y:z\n", "auth", "new", "a = b")
	f.Add("[a]\nk = v\n[auth]\n   [b]\n", "auth", "k", "[x]")
	f.Add("[a]\rk = v\r\n\x1c\n\u2003b=1\n", "a", "k", "#x")
	f.Add("", "a", "k", "")
	f.Fuzz(func(t *testing.T, before, section, key, value string) {
		file, err := ini.Parse([]byte(before))
		if err != nil {
			return
		}
		if got, _ := file.Bytes(); string(got) != before {
			t.Fatalf("unedited, %q is written as %q", before, got)
		}
		// The callers' names are constants; the fuzzer picks from such.
		if strings.ToLower(key) != key || !word(key) || !word(section) || section == "DEFAULT" {
			return
		}
		want := values(file)
		want[[2]string{section, key}] = value
		file.Set(section, key, value)
		data, err := file.Bytes()
		if err != nil {
			return
		}
		again, err := ini.Parse(data)
		if err != nil {
			t.Fatalf("Set turned %q into %q: %v", before, data, err)
		}
		if got := values(again); !maps.Equal(got, want) {
			t.Fatalf("Set turned %q into %q, which says %q, want %q", before, data, got, want)
		}
		again.Delete(section, key)
		again.Prune(section)
		delete(want, [2]string{section, key})
		data, _ = again.Bytes()
		last, err := ini.Parse(data)
		if err != nil {
			t.Fatalf("Delete led to %q: %v", data, err)
		}
		if got := values(last); !maps.Equal(got, want) {
			t.Fatalf("Delete turned %q into %q, which says %q, want %q", before, data, got, want)
		}
	})
}

func word(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && r != '_' {
			return false
		}
	}
	return s != ""
}
