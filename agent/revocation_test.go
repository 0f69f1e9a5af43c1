package agent_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/authring/authring/agent"
	"github.com/authring/authring/internal/agentclient"
)

// What could not be revoked when a link was ended is revoked by the agent, if
// nobody runs anything but what asks it: as it starts, and while it runs.
func TestRevocationsAreRetried(t *testing.T) {
	w := newWorld(t)
	unlinkOffline := func() {
		t.Helper()
		w.offline.Store(true)
		if _, err := w.session(t, "default").Unlink(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.offline.Store(false)
		if n := len(w.dropbox.Grants()); n != 1 {
			t.Fatalf("%d grants are valid, want that which could not be revoked", n)
		}
	}
	gone := func() bool { return len(w.dropbox.Grants()) == 0 && len(w.memory.Items()) == 0 }

	w.link(t, "default")
	unlinkOffline()
	clock := newHandClock()
	a := w.start(t, func(c *agent.Config) { c.SetClock(clock); c.Idle = 5 * time.Hour })
	waitUntil(t, gone)

	w.link(t, "default")
	a.mustToken(t, agentclient.Request{Config: "default"})
	unlinkOffline()
	clock.pass(10 * time.Minute)
	waitUntil(t, gone)
}

// One that is there for a single link leaves the others alone.
func TestARestrictedAgentRevokesNothing(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	w.link(t, "home")
	w.offline.Store(true)
	if _, err := w.session(t, "home").Unlink(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.offline.Store(false)
	a := w.start(t, func(c *agent.Config) { c.Only = &agent.Link{App: "authring", Config: "work"} })
	a.mustToken(t, agentclient.Request{Config: "work"})
	a.Stop()
	_ = a.wait(t)
	if err := a.Close(); err != nil { // waits for all that was begun
		t.Fatal(err)
	}
	if n := len(w.dropbox.Grants()); n != 2 {
		t.Errorf("%d grants are valid, want 2", n)
	}
}

// Whoever may ask can name any number of apps, of which the agent remembers no
// more than of links.
func TestAppsThatAreMadeUp(t *testing.T) {
	w := newWorld(t)
	a := w.start(t, func(c *agent.Config) { c.Limits.Links = 8 })
	for i := range 100 {
		a.fails(t, agentclient.Request{App: fmt.Sprint("app", i), Config: "none"}, "not-linked", 3)
	}
	if n := a.Retried(); n > 8 {
		t.Errorf("the agent remembers %d of them", n)
	}
}
