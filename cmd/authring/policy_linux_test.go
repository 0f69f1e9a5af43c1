package main

import (
	"strings"
	"testing"

	"github.com/authring/authring/internal/daemontest"
)

// TestTheUserIsAsked by the desktop, when a rule says so.
func TestTheUserIsAsked(t *testing.T) {
	p, desk := onDesk(t)
	daemontest.StartGNOME(t, desk)
	dunst := desk.StartDunst(t)
	p.env = append(p.env, "AUTHRING_AGENT=")
	p.link()
	p.want(0, "", "policy", "ask", "--any", "--scope", "files.metadata.read", "--remember", "10m")
	t.Cleanup(func() { p.call("", "agent", "stop") })

	type ended struct {
		stdout, stderr string
		code           int
	}
	token := func(answer func(), args ...string) ended {
		done := make(chan ended, 1)
		go func() {
			stdout, stderr, code := p.call("", append([]string{"token"}, args...)...)
			done <- ended{stdout, stderr, code}
		}()
		answer()
		got := <-done
		dunst.Clear(t)
		return got
	}
	if got := token(func() { dunst.Pick(t, "Deny") }); got.code != 77 || got.stdout != "" || !strings.Contains(got.stderr, "you did not allow it") {
		t.Errorf("after a no: %+v", got)
	}
	// The no holds as long as a yes: without another question.
	if got := token(func() {}); got.code != 77 {
		t.Errorf("right after a no: %d", got.code)
	}
	p.want(0, "", "policy", "remove", "1")
	p.want(0, "", "policy", "ask", "--any", "--first", "--scope", "account_info.read", "--remember", "10m")
	p.want(0, "", "agent", "stop")
	got := token(func() { dunst.Pick(t, "Allow") }, "--json")
	if got.code != 0 || !strings.Contains(got.stdout, `"scope": "account_info.read"`) {
		t.Errorf("after a yes: %d, %s", got.code, got.stderr)
	}
	if got := token(func() {}); got.code != 0 {
		t.Errorf("right after a yes: %d, %s", got.code, got.stderr)
	}
	history := dunst.History()
	for _, want := range []string{"Give an access token for", "account_info.read", "Your answer holds for 10m0s"} {
		if !strings.Contains(history, want) {
			t.Errorf("no notification says %q:\n%s", want, history)
		}
	}
	log, _ := p.want(0, "", "policy", "log")
	if !strings.Contains(log, "denied") || !strings.Contains(log, "allowed") || strings.Contains(log, "sl.") {
		t.Errorf("the log is\n%s", log)
	}
}
