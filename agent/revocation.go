package agent

import (
	"context"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/record"
)

// retryPause is how long after a look for revocations that are left the agent
// looks again.
const retryPause = 10 * time.Minute

// revoker is what a session can revoke for: the links of an app with one
// provider.
type revoker struct{ app, provider string }

// watchRevocations retries, from now on, what could not be revoked when a link
// was ended: those who only ask an agent run no other program that does.
func (a *Agent) watchRevocations() {
	if a.config.Only != nil {
		return // it is there for one link, and not for long
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopRetry == nil {
		a.retryAll()
	}
}

// The following hold that the caller holds mu.

func (a *Agent) retryAll() {
	if a.closed {
		return
	}
	now := a.clock.Now()
	for _, h := range a.links {
		a.retry(h, now)
	}
	// The app of the tool may have no link left that somebody asks for.
	a.renewing.Go(func() {
		session, err := a.config.Open(record.DefaultApp, defaultConfig)
		if err != nil {
			return
		}
		defer func() { _ = session.Close() }()
		a.retryBy(session)
	})
	a.stopRetry = a.clock.AfterFunc(now+retryPause, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.retryAll()
	})
}

// retry looks for revocations that a link's session can do, unless one like it
// has looked of late.
func (a *Agent) retry(h *held, now time.Duration) {
	who := revoker{h.link.App, h.session.Record().Provider}
	last, looked := a.retried[who]
	if a.stopRetry == nil || looked && now-last < retryPause {
		return
	}
	if len(a.retried) >= a.config.Limits.Links {
		clear(a.retried) // whoever asks can make up any number of apps
	}
	a.retried[who] = now
	h.users++
	a.renewing.Go(func() {
		defer a.release(h)
		a.retryBy(h.session)
	})
}

// retryBy is called without mu.
func (a *Agent) retryBy(session *authring.Session) {
	ctx, cancel := context.WithTimeout(a.life, a.config.Limits.Answer)
	defer cancel()
	results, err := session.RetryRevocations(ctx)
	if err != nil {
		a.config.Logger.Debug("could not read what is left to be revoked", "error", err)
	}
	for _, r := range results {
		a.config.Logger.Debug("retried a revocation", "config", r.Config, "done", r.Done, "error", r.Err)
	}
}
