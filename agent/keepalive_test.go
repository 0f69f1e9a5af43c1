package agent_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/agent"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
)

// A link that would end for want of use is refreshed, though nobody asks for it,
// and without being held in memory for it.
func TestKeepAlive(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	w.link(t, "home")
	clock := newHandClock()
	listed := errors.New("not yet")
	a := w.start(t, func(c *agent.Config) {
		c.Open = func(_, config string) (*authring.Session, error) {
			if config == "gone" {
				return nil, errors.New("there is no such link")
			}
			ending := provider.Dropbox()
			ending.IdleLifetime = time.Nanosecond
			return authring.Open(config, authring.WithLayout(w.layout), authring.WithTransport(w),
				authring.WithKeyrings(w.memory), authring.WithPrompt(keyring.NoPrompt), authring.WithProvider(ending))
		}
		c.KeepAlive = func() ([]agent.Link, error) {
			links := []agent.Link{{App: "authring", Config: "gone"}, {App: "authring", Config: "work"}}
			if listed != nil {
				links = nil
			}
			return links, listed
		}
		c.SetClock(clock)
	})
	clock.pass(4 * time.Second)
	listed = nil
	if n := w.refreshes(); n != 0 {
		t.Errorf("%d refreshes at the start", n)
	}
	clock.pass(time.Second)
	if n := w.refreshes(); n != 1 {
		t.Fatalf("%d refreshes, want that of one link", n)
	}
	if links := a.status(t)["links"]; links != 0.0 {
		t.Errorf("%v links are in memory", links)
	}
	clock.pass(time.Hour)
	if n := w.refreshes(); n != 2 {
		t.Errorf("%d refreshes an hour later", n)
	}
	_ = a.Close()
	clock.pass(time.Hour)
	if n := w.refreshes(); n != 2 {
		t.Errorf("%d refreshes after its end", n)
	}
}

// An agent of one link is no reason to refresh the others, nor to open them in
// the place of the one that it is for.
func TestARestrictedAgentKeepsNothingAlive(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	clock := newHandClock()
	var listed, others atomic.Int32
	a := w.start(t, func(c *agent.Config) {
		c.Only = &agent.Link{App: "authring", Config: "work"}
		c.KeepAlive = func() ([]agent.Link, error) {
			listed.Add(1)
			return []agent.Link{{App: "authring", Config: "home"}}, nil
		}
		c.Open = func(app, config string) (*authring.Session, error) {
			if config != "work" {
				others.Add(1)
			}
			return w.open(app, config)
		}
		c.SetClock(clock)
	})
	clock.pass(2 * time.Hour)
	_ = a.Close() // waits for all that was begun
	if listed.Load() != 0 || others.Load() != 0 {
		t.Errorf("it listed the links %d times, and opened %d others", listed.Load(), others.Load())
	}
}
