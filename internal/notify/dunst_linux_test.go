package notify_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/needs"
)

// TestDunst asks by a real notification server. Its menu is a program that
// picks what the test wants.
func TestDunst(t *testing.T) {
	needs.Programs(t, "dunst", "dunstctl")
	display := daemontest.StartDisplay(t)
	desk := daemontest.NewDesk(t)
	pick, config := filepath.Join(desk.Home, "pick"), filepath.Join(desk.Home, "dunstrc")
	seen, choice := filepath.Join(desk.Home, "seen"), filepath.Join(desk.Home, "choice")
	script := "#!/bin/sh\ncat >" + seen + "\ngrep -F \"$(cat " + choice + ")\" " + seen + "\n"
	if err := os.WriteFile(pick, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte("[global]\n  dmenu = "+pick+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := desk.Command("dunst", "-conf", config)
	cmd.Env = append(cmd.Env, "DISPLAY="+display)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	control := func(args ...string) string {
		out, _ := desk.Command("dunstctl", args...).CombinedOutput()
		return strings.TrimSpace(string(out))
	}
	ctx := bounded(t)
	await := func(what string, is func() bool) {
		for !is() {
			if ctx.Err() != nil {
				t.Fatalf("waited in vain for %s", what)
			}
		}
	}
	await("dunst", func() bool { return control("is-paused") == "false" })

	for _, test := range []struct {
		name, choice string
		act          func()
		want         bool
	}{
		{"allow", "Allow", func() { control("context") }, true},
		{"deny", "Deny", func() { control("context") }, false},
		{"closed", "", func() { control("close") }, false},
	} {
		if err := os.WriteFile(choice, []byte(test.choice), 0o600); err != nil {
			t.Fatal(err)
		}
		answered := ask(ctx, desk.Address)
		await("the notification", func() bool { return control("count", "displayed") == "1" })
		test.act()
		got := <-answered
		if got.err != nil || got.allowed != test.want {
			menu, _ := os.ReadFile(seen)
			t.Errorf("%s: %v, %v; want %v\nthe menu: %s", test.name, got.allowed, got.err, test.want, menu)
		}
		control("close-all")
		await("an empty screen", func() bool { return control("count", "displayed") == "0" })
	}
	if history := control("history"); !strings.Contains(history, "&lt;b&gt;curl") && !strings.Contains(history, "<b>curl") {
		t.Errorf("the history of dunst: %s", history)
	}
}
