package cure_test

import (
	"errors"
	"fmt"
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
