//go:build unix

package cli_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/authring/authring/internal/cli"
	"github.com/authring/authring/internal/needs"
)

func TestHintsAreGoodForAShell(t *testing.T) {
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
