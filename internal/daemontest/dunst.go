package daemontest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/needs"
)

// Dunst is a notification server whose notifications are answered by the test:
// its menu is a program that picks what the test says.
type Dunst struct {
	desk         *Desk
	seen, choice string
}

// StartDunst starts the notification server on the desk.
func (d *Desk) StartDunst(tb testing.TB) *Dunst {
	tb.Helper()
	needs.Programs(tb, "dunst", "dunstctl")
	display := StartDisplay(tb)
	dunst := &Dunst{desk: d, seen: filepath.Join(d.Home, "menu.seen"), choice: filepath.Join(d.Home, "menu.choice")}
	menu, config := filepath.Join(d.Home, "menu"), filepath.Join(d.Home, "dunstrc")
	script := fmt.Sprintf("#!/bin/sh\ncat >%s\ngrep -F \"$(cat %s)\" %s\n", dunst.seen, dunst.choice, dunst.seen)
	if err := os.WriteFile(menu, []byte(script), 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(config, []byte("[global]\n  dmenu = "+menu+"\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	cmd := d.Command("dunst", "-conf", config)
	cmd.Env = append(cmd.Env, "DISPLAY="+display)
	start(tb, cmd)
	dunst.await(tb, "the notification server", func() bool { return dunst.control("is-paused") == "false" })
	return dunst
}

// Pick waits until one notification is shown, and picks the action whose text
// holds choice from its menu.
func (d *Dunst) Pick(tb testing.TB, choice string) {
	tb.Helper()
	if err := os.WriteFile(d.choice, []byte(choice), 0o600); err != nil {
		tb.Fatal(err)
	}
	d.awaitOne(tb)
	d.control("context")
}

// Close waits until one notification is shown, and closes it.
func (d *Dunst) Close(tb testing.TB) {
	tb.Helper()
	d.awaitOne(tb)
	d.control("close")
}

// Clear takes everything from the screen.
func (d *Dunst) Clear(tb testing.TB) {
	tb.Helper()
	d.control("close-all")
	d.await(tb, "an empty screen", func() bool { return d.control("count", "displayed") == "0" })
}

// History returns what was shown and closed, as dunstctl prints it.
func (d *Dunst) History() string { return d.control("history") }

func (d *Dunst) awaitOne(tb testing.TB) {
	tb.Helper()
	d.await(tb, "a notification", func() bool { return d.control("count", "displayed") == "1" })
}

func (d *Dunst) control(args ...string) string {
	out, _ := d.desk.Command("dunstctl", args...).CombinedOutput()
	return strings.TrimSpace(string(out))
}

// await asks again and again, each time by a process, which is pause enough.
func (d *Dunst) await(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 30*time.Second)
	defer cancel()
	for !is() {
		if ctx.Err() != nil {
			tb.Fatalf("waited in vain for %s", what)
		}
	}
}
