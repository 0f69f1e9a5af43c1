package cli_test

import (
	"testing"
	"unicode"

	"github.com/authring/authring/internal/cli"
)

func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{
		"Ada Lovelace", "\x1b]0;title\x07", "\u202egnirts", "a\r\nb\u2028c", "\xff\xfe", "\u009b31m", "日本 é",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := cli.Printable(text)
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("%q keeps %U", text, r)
			}
		}
		if again := cli.Printable(got); again != got {
			t.Errorf("%q becomes %q, and then %q", text, got, again)
		}
	})
}
