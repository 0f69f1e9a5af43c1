package agent

import (
	"context"
	"time"

	"github.com/authring/authring"
)

// tokenEnd is when a token ends: as it was said, and on the clock of the agent.
type tokenEnd struct {
	known bool
	said  time.Time
	never bool
	at    time.Duration
	need  time.Duration // how long it has to be valid to be handed out by default
}

// needOf is the default of a session for a token that lives so long: where that
// is no more than the usual, half of it.
func needOf(life time.Duration) time.Duration {
	if life <= authring.DefaultMinValid {
		return life / 2
	}
	return authring.DefaultMinValid
}

// inMemory reports whether a request can be answered without the provider. The
// caller holds Agent.mu.
func (h *held) inMemory(ask Ask, key string, now time.Duration) bool {
	end := h.end(key)
	if !end.known || ask.Fresh {
		return false
	}
	need := ask.MinValid
	if need == 0 {
		need = end.need
	}
	return end.never || end.at-now >= need
}

// end is when the token of a scope ends; empty is the whole one. The caller holds
// Agent.mu.
func (h *held) end(key string) tokenEnd {
	if key == "" {
		return h.whole
	}
	return h.narrow[key]
}

// mostKnown bounds how many scopes are remembered; a session has its own bound.
const mostKnown = 64

// learn remembers how long a token lives, and has the one of the whole scope
// renewed ahead.
func (a *Agent) learn(h *held, key string, token authring.Token) {
	a.mu.Lock()
	defer a.mu.Unlock()
	value := token.AccessToken.Reveal()
	if end := h.end(key); end.known && end.said.Equal(token.Expires) && (key != "" || end.never || h.newest == value) {
		return
	}
	now := a.clock.Now()
	end := tokenEnd{known: true, said: token.Expires, never: token.Expires.IsZero()}
	if !end.never {
		life := time.Until(token.Expires)
		end.at, end.need = now+life, needOf(life)
	}
	if key != "" {
		if h.narrow == nil || len(h.narrow) > mostKnown {
			h.narrow = map[string]tokenEnd{}
		}
		h.narrow[key] = end
		return
	}
	h.whole = end
	if end.never || h.gone || h.newest == value {
		return
	}
	h.newest = value
	a.renewAt(h, end.renewal(now))
}

// renewal is when a token that came now is renewed: after the session's own
// time for it, four fifths of the life and up to a twentieth more, at which only
// a request makes it renew; and, of a short life, before it is no longer handed
// out, so that none has to wait for that, but not before half of it.
func (e tokenEnd) renewal(now time.Duration) time.Duration {
	life := e.at - now
	return now + min(life*86/100, max(life-e.need, life/2)*95/100)
}

// renewAt has a link renewed at that time. The caller holds mu.
func (a *Agent) renewAt(h *held, at time.Duration) {
	if h.stopRenew != nil {
		h.stopRenew()
	}
	h.stopRenew = a.renewals.AfterFunc(at, func() { a.renew(h) })
}

// renewRetry is how long after a renewal that failed the next one is tried.
const renewRetry = time.Minute

// renew has a token renewed that somebody asked for of late.
func (a *Agent) renew(h *held) {
	a.mu.Lock()
	end, old, now := h.whole, h.newest, a.clock.Now()
	if a.closed || h.gone || now-h.asked >= a.patience() {
		h.newest = "" // to be taken up again with the next request
		a.mu.Unlock()
		return
	}
	h.users++
	a.renewing.Add(1)
	a.mu.Unlock()
	defer a.renewing.Done()
	defer a.release(h)

	ctx, cancel := context.WithTimeout(a.life, a.config.Limits.Answer)
	defer cancel()
	// A request may have had it renewed a moment ago.
	token, err := h.session.Token(ctx)
	if err == nil && token.AccessToken.Reveal() == old {
		token, err = h.session.Token(ctx, authring.Fresh())
	}
	if err == nil {
		a.learn(h, "", token)
		return
	}
	a.config.Logger.Debug("could not renew ahead", "app", h.link.App, "config", h.link.Config, "error", err)
	a.mu.Lock()
	defer a.mu.Unlock()
	if next := a.clock.Now() + renewRetry; !h.gone && next < end.at {
		a.renewAt(h, next)
	} else {
		h.newest = ""
	}
}
