//go:build unix

package cure_test

import (
	"os/exec"
	"testing"

	"github.com/authring/authring/internal/cure"
)

// TestCommand has a shell read what was put together.
func TestCommand(t *testing.T) {
	words := []string{"printf", "%s\n", "plain", "", "two words", "it's", `"$HOME"`, "`id`", "*", "~", "a\nb", "é;&|"}
	got, err := exec.Command("sh", "-c", cure.Command(words...)).Output()
	want := ""
	for _, word := range words[2:] {
		want += word + "\n"
	}
	if err != nil || string(got) != want {
		t.Errorf("the shell read %q, %v; want %q", got, err, want)
	}
}
