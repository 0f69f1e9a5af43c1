package notify_test

import (
	"strings"
	"testing"

	"github.com/authring/authring/internal/daemontest"
)

// TestDunst asks by a real notification server.
func TestDunst(t *testing.T) {
	desk := daemontest.NewDesk(t)
	dunst := desk.StartDunst(t)
	for _, test := range []struct {
		name string
		act  func()
		want bool
	}{
		{"allow", func() { dunst.Pick(t, "Allow") }, true},
		{"deny", func() { dunst.Pick(t, "Deny") }, false},
		{"closed", func() { dunst.Close(t) }, false},
	} {
		answered := ask(bounded(t), desk.Address)
		test.act()
		if got := <-answered; got.err != nil || got.allowed != test.want {
			t.Errorf("%s: %v, %v; want %v", test.name, got.allowed, got.err, test.want)
		}
		dunst.Clear(t)
	}
	if history := dunst.History(); !strings.Contains(history, "A program asks for a token") {
		t.Errorf("its history: %s", history)
	}
}
