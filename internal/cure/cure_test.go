package cure_test

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"testing"

	"github.com/authring/authring/internal/cure"
)

func TestOf(t *testing.T) {
	broken := errors.New("broken")
	err := fmt.Errorf("could not read: %w", cure.With(broken, "mv a b"))
	if got := cure.Of(err); got != "mv a b" || !errors.Is(err, broken) || err.Error() != "could not read: broken" {
		t.Errorf("Of(%v) = %q", err, got)
	}
	if got := cure.Of(broken); got != "" {
		t.Errorf("Of an error without a cure = %q", got)
	}
}

// TestCommand has a shell read what was put together.
func TestCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a POSIX shell")
	}
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
