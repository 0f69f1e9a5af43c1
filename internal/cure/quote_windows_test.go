package cure_test

import (
	"testing"

	"golang.org/x/sys/windows"

	"github.com/authring/authring/internal/cure"
)

// TestQuote: a program gets each word as it was.
func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"work": "work", `C:\Users\ada\key`: `C:\Users\ada\key`, `C:\Users\Ada Lovelace\`: `"C:\Users\Ada Lovelace\\"`, "": `""`,
		"a,b": `"a,b"`, "@x": `"@x"`, `say "hi"`: `"say \"hi\""`, `a\"b`: `"a\\\"b"`, "ü": `"ü"`, "100%": `"100%"`,
	} {
		got := cure.Quote(word)
		if got != want {
			t.Errorf("Quote(%s) = %s, want %s", word, got, want)
		}
		words, err := windows.DecomposeCommandLine("authring " + got)
		if err != nil || len(words) != 2 || words[1] != word {
			t.Errorf("%s is read as %q, %v", got, words, err)
		}
	}
}
