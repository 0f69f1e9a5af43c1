package agent_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/authring/authring/agent"
	"github.com/authring/authring/internal/agentclient"
)

// However many links there are, they are renewed at their times by one timer;
// those that were dropped are not.
func TestManyLinksAreRenewed(t *testing.T) {
	const links = 20
	w := newWorld(t)
	clock := newHandClock()
	a := w.start(t, func(c *agent.Config) { c.Idle = 100 * time.Hour; c.SetClock(clock) })
	var first []string
	a.status(t) // it serves
	alone := clock.waiting()
	for n := range links {
		name := fmt.Sprintf("link-%d", n)
		w.link(t, name)
		first = append(first, a.mustToken(t, agentclient.Request{Config: name}).AccessToken)
		clock.pass(time.Minute)
	}
	if got := clock.waiting() - alone; got != 1 {
		t.Errorf("%d timers for %d links", got, links)
	}
	a.Forget(agent.Link{App: "authring", Config: "link-3"})
	before := w.refreshes()
	// The first of them is due after 3:26, the last 19 minutes later.
	clock.pass(3*time.Hour + 27*time.Minute - links*time.Minute)
	waitUntil(t, func() bool { return w.refreshes() == before+1 })
	waitUntil(t, func() bool {
		return a.mustToken(t, agentclient.Request{Config: "link-0"}).AccessToken != first[0]
	})
	clock.pass(links * time.Minute)
	waitUntil(t, func() bool { return w.refreshes() == before+links-1 })
	for n, old := range first {
		waitUntil(t, func() bool {
			return a.mustToken(t, agentclient.Request{Config: fmt.Sprintf("link-%d", n)}).AccessToken != old
		})
	}
}
