package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring"
)

// held is a link in memory. Its fields are guarded by Agent.mu.
type held struct {
	link    Link
	session *authring.Session
	files   files // that the session was opened by
	seen    sight // of them, when it was

	users int           // requests that use the session
	gone  bool          // to be closed with the last of them
	asked time.Duration // last

	// When the token of the whole scope ends, and those of narrower ones, which
	// few links have.
	whole  tokenEnd
	narrow map[string]tokenEnd

	slow      int     // requests that are not answered from memory
	allowance float64 // of such requests
	refilled  time.Duration

	newest    string // the token that renew is about
	stopRenew func()
}

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

// acquire returns the link, opened anew if its record is not the one that it
// was opened with: another process has relinked, moved or unlinked it; or if
// something else is known of its provider. For what is in memory that is looked
// at once, before it is handed out.
func (a *Agent) acquire(ask Ask, key string) (*held, error) {
	link := ask.Link
	if h := a.acquireHeld(ask, key); h != nil {
		return h, nil
	}
	var described string
	if a.config.Described != nil {
		described = a.config.Described(link.App, link.Config)
	}
	provider := look(described) // before it is read, which is done once
	session, err := a.config.Open(link.App, link.Config)
	if err != nil {
		return nil, err
	}
	h := &held{link: link, session: session, files: filesOf(session.Layout(), link.Config, described), allowance: burst}
	// The record may be another one than Open has read. Before it refreshes,
	// and it has nothing to hand out before, the session reads it again.
	h.seen = h.files.see(provider, a.clock.Now())
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		a.shut(session)
		return nil, errors.New("the agent is ending")
	}
	if other := a.links[link]; other != nil {
		if other.seen.stamps == h.seen.stamps && other.seen.digest == h.seen.digest {
			a.shut(session) // another request was faster
			return a.use(other), nil
		}
		a.drop(other)
	}
	a.makeRoom()
	a.links[link] = h
	h.refilled = a.clock.Now()
	a.retry(h, h.refilled)
	return a.use(h), nil
}

func (a *Agent) acquireHeld(ask Ask, key string) *held {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.links[ask.Link]
	switch {
	case h == nil:
		return nil
	case !h.inMemory(ask, key, a.clock.Now()) && !h.files.same(&h.seen, a.clock.Now()):
		a.drop(h)
		return nil
	}
	return a.use(h)
}

// The following hold that the caller holds mu.

func (a *Agent) use(h *held) *held {
	h.users++
	h.asked = a.clock.Now()
	return h
}

// drop takes the link out of memory; its session is closed once no request
// uses it.
func (a *Agent) drop(h *held) {
	if h.gone {
		return
	}
	h.gone = true
	if a.links[h.link] == h {
		delete(a.links, h.link)
	}
	if h.stopRenew != nil {
		h.stopRenew()
	}
	if h.users == 0 {
		a.shut(h.session)
	}
}

// shut closes a session, which may have to wait for a refresh to end.
func (a *Agent) shut(session *authring.Session) {
	a.renewing.Go(func() { _ = session.Close() })
}

func (a *Agent) makeRoom() {
	if len(a.links) < a.config.Limits.Links {
		return
	}
	var oldest *held
	for _, h := range a.links {
		if h.users == 0 && (oldest == nil || h.asked < oldest.asked) {
			oldest = h
		}
	}
	if oldest != nil {
		a.drop(oldest)
	}
}

func (a *Agent) release(h *held) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h.users--
	if h.gone && h.users == 0 {
		a.shut(h.session)
	}
}

// current reports whether the files are still those that the session was opened
// with; if not, the link is dropped.
func (a *Agent) current(h *held) bool {
	a.mu.Lock()
	seen := h.seen
	a.mu.Unlock()
	same := h.files.same(&seen, a.clock.Now())
	a.mu.Lock()
	defer a.mu.Unlock()
	if same && !h.gone {
		h.seen = seen
		return true
	}
	a.drop(h)
	return false
}

// Forget drops a link from memory; with an empty config name all of them.
func (a *Agent) Forget(link Link) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, h := range a.links {
		if link.Config == "" || h.link == link {
			a.drop(h)
		}
	}
}

// Each link may be asked burst times in a row for what is not in memory, and
// from then on once in pause: not for want of our own time, but the provider's.
const (
	burst = 30
	pause = 2 * time.Second
)

var errTooOften = fmt.Errorf("the agent was asked too often for tokens that are not in memory; it asks the provider at most %d times in a row, and then once in %v", burst, pause)

// enter counts a request that memory may not answer. Those that share a refresh
// count as one.
func (a *Agent) enter(h *held, ask Ask, key string) (leave func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.Now()
	if h.inMemory(ask, key, now) {
		return func() {}, nil
	}
	h.allowance = min(burst, h.allowance+float64(now-h.refilled)/float64(pause))
	h.refilled = now
	if h.slow == 0 {
		if h.allowance < 1 {
			return nil, errTooOften
		}
		h.allowance--
	}
	h.slow++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		h.slow--
	}, nil
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
