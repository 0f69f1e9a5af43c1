package dropboxtest

import (
	"io"
	"net/http"
	"time"
)

// faultKind is a way to go wrong.
type faultKind struct {
	name     string
	about    string
	duration time.Duration // the default argument; 0 when it takes none
	// before, if there is one, happens ahead of all else.
	before func(*Dropbox, *http.Request, target)
	// commits makes the server do its work first; spoil has the answer.
	commits bool
	spoil   func(spoiled)
}

// spoiled is a request that meets a fault.
type spoiled struct {
	x      *exchange
	r      *http.Request
	fault  Fault
	answer *held // what would have been said, if the fault commits
}

// faultKinds returns all faults, in the order in which they are listed.
func faultKinds() []faultKind {
	return []faultKind{
		{name: "v1_retired", about: "400 v1_retired, as Dropbox answered refreshes for some days in 2022", spoil: v1Retired},
		{name: "server-error", about: "500 with a JSON body", spoil: serverError},
		{name: "server-error-after-commit", about: "500 with a JSON body, after commit", commits: true, spoil: serverError},
		{name: "bad-gateway", about: "502 with an HTML body", spoil: badGateway},
		{name: "unavailable", about: "503 without a body", spoil: unavailable},
		{name: "rate-limit", about: "429 with Retry-After in seconds", duration: time.Second, spoil: rateLimit},
		{name: "rate-limit-date", about: "429 with Retry-After as a date", duration: time.Second, spoil: rateLimitDate},
		{name: "invalid-token", about: "401 invalid_access_token although the token is good", spoil: invalidToken},
		{name: "revoked", about: "the grant that is presented ends, then the answer that follows from it",
			before: revokePresented, commits: true, spoil: passOn},
		{name: "captive-portal", about: "200 with the HTML of a sign-in page", spoil: captivePortal},
		{name: "redirect", about: "307 to the same port of another host name", spoil: redirectAway},
		{name: "empty-body", about: "200 without a body, after commit", commits: true, spoil: emptyBody},
		{name: "truncated-json", about: "half of the body as if it were all, after commit", commits: true, spoil: truncated},
		{name: "cut-body", about: "half of the body, then the connection is reset, after commit", commits: true, spoil: cutBody},
		{name: "slow-body", about: "one byte of the body at a time, after commit", duration: time.Second, commits: true, spoil: slowBody},
		{name: "endless-body", about: "200 with 64 MiB of JSON that does not end", spoil: endlessBody},
		{name: "hang", about: "no answer until the client leaves", spoil: hang},
		{name: "reset-before-commit", about: "the connection is reset, nothing was done", spoil: reset},
		{name: "reset-after-commit", about: "the connection is reset after the work was done", commits: true, spoil: reset},
		{name: "clock-skew", about: "the header Date is ahead", duration: 25 * time.Hour, commits: true, spoil: clockSkew},
	}
}

func lookupFault(name string) (faultKind, bool) {
	for _, kind := range faultKinds() {
		if kind.name == name {
			return kind, true
		}
	}
	return faultKind{}, false
}

// serveFaulty answers by serve, or as the fault has it that is set for t.
func (d *Dropbox) serveFaulty(x *exchange, r *http.Request, t target, serve http.HandlerFunc) {
	f, hit := d.takeFault(t)
	if !hit {
		serve(x, r)
		return
	}
	x.note(func(e *Request) { e.Fault = f.Name })
	kind, _ := lookupFault(f.Name)
	s := spoiled{x: x, r: r, fault: f}
	if kind.before != nil {
		kind.before(d, r, t)
	}
	if kind.commits {
		s.answer = &held{header: x.Header()}
		serve(s.answer, r)
	} else {
		// A connection that still has a body coming cannot tell that the
		// client has left.
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxArgumentBytes))
	}
	kind.spoil(s)
}
