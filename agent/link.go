package agent

import (
	"errors"
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
