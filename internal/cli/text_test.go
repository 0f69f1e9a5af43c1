package cli_test

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unicode"

	"github.com/authring/authring/internal/cli"
	"github.com/authring/authring/internal/needs"
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

func TestHintsAreGoodForAShell(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("for its shells, see package cure")
	}
	needs.Programs(t, "sh")
	for _, word := range []string{"work", "", "a b", "$(id)", "it's", "a;b", "*", "~", `\`, "@x", "dbid:A-b_c"} {
		out, err := exec.Command("sh", "-c", "printf %s "+cli.ShellQuote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("the shell reads %s as %q (%v), want %q", cli.ShellQuote(word), out, err, word)
		}
	}
	if got := cli.ShellQuote("work"); strings.Contains(got, "'") {
		t.Errorf("a plain word is quoted: %s", got)
	}
}
