package agent

import (
	"context"
	"time"
)

const (
	// keepAliveFirst is how long after its start the agent first looks: those
	// who started it want a token.
	keepAliveFirst = 5 * time.Second
	// keepAlivePause is the longest time until it looks again.
	keepAlivePause = time.Hour
)

// keepAliveAt has the links be looked at that may end for want of use. The
// caller holds mu.
func (a *Agent) keepAliveAt(at time.Duration) {
	if a.config.KeepAlive == nil || a.config.Only != nil || a.closed || a.ended {
		return
	}
	a.stopKeeping = a.clock.AfterFunc(at, a.keepAlive)
}

func (a *Agent) keepAlive() {
	a.mu.Lock()
	if a.closed || a.ended {
		a.mu.Unlock()
		return
	}
	a.renewing.Add(1)
	a.mu.Unlock()
	defer a.renewing.Done()
	next := keepAlivePause
	links, err := a.config.KeepAlive()
	if err != nil {
		a.config.Logger.Debug("could not list the links to keep alive", "error", err)
	}
	for _, link := range links {
		if a.life.Err() != nil {
			return
		}
		if at := a.keepOne(link); !at.IsZero() {
			next = min(next, max(time.Minute, time.Until(at)))
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keepAliveAt(a.clock.Now() + next)
}

// keepOne refreshes a link if it is time. It has a session of its own: that
// nobody asked for the link is no reason to hold it in memory.
func (a *Agent) keepOne(link Link) (next time.Time) {
	ctx, cancel := context.WithTimeout(a.life, a.config.Limits.Answer)
	defer cancel()
	session, err := a.config.Open(link.App, link.Config)
	if err == nil {
		next, err = session.KeepAlive(ctx)
		_ = session.Close()
	}
	if err != nil {
		a.config.Logger.Debug("could not keep a link alive", "app", link.App, "config", link.Config, "error", err)
	}
	return next
}
