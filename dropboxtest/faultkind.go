package dropboxtest

import (
	"io"
	"net"
	"net/http"
	"strconv"
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

func v1Retired(s spoiled) {
	writeJSON(s.x, http.StatusBadRequest, tokenError{Code: "v1_retired"})
}

func serverError(s spoiled) {
	writeJSON(s.x, http.StatusInternalServerError, tokenError{
		Code: "The server has either erred or is incapable of performing the requested operation."})
}

func badGateway(s spoiled) {
	writeHTML(s.x, http.StatusBadGateway,
		"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n")
}

func unavailable(s spoiled) { s.x.WriteHeader(http.StatusServiceUnavailable) }

func rateLimit(s spoiled) {
	seconds := int64((s.fault.Duration + time.Second - 1) / time.Second)
	s.x.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	writeJSON(s.x, http.StatusTooManyRequests, map[string]any{
		"error_summary": "too_many_requests/" + dots(),
		"error": map[string]any{
			"reason":      map[string]string{".tag": "too_many_requests"},
			"retry_after": seconds,
		},
	})
}

func rateLimitDate(s spoiled) {
	// RFC 9110 section 10.2.3: a date is the other form of Retry-After. It
	// has no fractions, so it is rounded up.
	at := s.x.now.Add(s.fault.Duration + time.Second - 1).UTC().Truncate(time.Second)
	s.x.Header().Set("Retry-After", at.Format(http.TimeFormat))
	writeText(s.x, http.StatusTooManyRequests, "Too many requests.")
}

func invalidToken(s spoiled) {
	tagged(http.StatusUnauthorized, "invalid_access_token").write(s.x, "")
}

func captivePortal(s spoiled) {
	writeHTML(s.x, http.StatusOK, "<!DOCTYPE html><html><head><title>Welcome to Station Wi-Fi</title></head>"+
		"<body><h1>Welcome to Station Wi-Fi</h1><p>Accept our terms to go online.</p></body></html>\n")
}

// redirectAway sends the client to another name of this machine, so that a
// client which follows is seen in the log.
func redirectAway(s spoiled) {
	host, port, err := net.SplitHostPort(s.r.Host)
	if err != nil {
		host, port = s.r.Host, "80"
	}
	other := "localhost"
	if host == other {
		other = "127.0.0.1"
	}
	scheme := "http"
	if s.r.TLS != nil {
		scheme = "https"
	}
	s.x.Header().Set("Location", scheme+"://"+net.JoinHostPort(other, port)+"/_emulator/redirected")
	s.x.WriteHeader(http.StatusTemporaryRedirect)
}

func emptyBody(s spoiled) { s.x.WriteHeader(http.StatusOK) }

func truncated(s spoiled) {
	body := s.answer.body.Bytes()
	s.x.WriteHeader(s.answer.status)
	_, _ = s.x.Write(body[:len(body)/2])
}

func cutBody(s spoiled) {
	body := s.answer.body.Bytes()
	s.x.Header().Set("Content-Length", strconv.Itoa(len(body)))
	s.x.WriteHeader(s.answer.status)
	_, _ = s.x.Write(body[:len(body)/2])
	_ = http.NewResponseController(s.x).Flush() // the client may have left
	drop(s.x)
}

func slowBody(s spoiled) {
	s.x.WriteHeader(s.answer.status)
	control := http.NewResponseController(s.x)
	tick := time.NewTicker(s.fault.Duration)
	defer tick.Stop()
	for _, b := range s.answer.body.Bytes() {
		if _, err := s.x.Write([]byte{b}); err != nil || control.Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-s.r.Context().Done():
			return
		}
	}
}

// endlessBodyBytes is far more than any client should read of an answer, and
// little enough not to hurt one that does.
const endlessBodyBytes = 64 << 20

func endlessBody(s spoiled) {
	s.x.Header().Set("Content-Type", "application/json")
	s.x.WriteHeader(http.StatusOK)
	chunk := make([]byte, 64<<10)
	for i := range chunk {
		chunk[i] = 'A'
	}
	_, err := io.WriteString(s.x, `{"access_token":"sl.`)
	for sent := 0; err == nil && sent < endlessBodyBytes; sent += len(chunk) {
		_, err = s.x.Write(chunk)
	}
}

func hang(s spoiled) {
	<-s.r.Context().Done()
	panic(http.ErrAbortHandler)
}

func reset(s spoiled) { drop(s.x) }

func clockSkew(s spoiled) {
	s.x.Header().Set("Date", s.x.now.Add(s.fault.Duration).UTC().Format(http.TimeFormat))
	passOn(s)
}

// passOn answers as without the fault.
func passOn(s spoiled) {
	s.x.WriteHeader(s.answer.status)
	_, _ = s.x.Write(s.answer.body.Bytes())
}

// revokePresented ends the grant that a request relies on: that of its refresh
// token, whichever of the grant's it is, that of its access token, or the one
// that its code would have become. A request without any ends nothing.
func revokePresented(d *Dropbox, r *http.Request, t target) {
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	var g *grant
	switch {
	case t.grantType == grantCode:
		delete(d.codes, t.form.Get("code"))
	case t.grantType == grantRefresh:
		g, _ = d.grantOf(t.form.Get("refresh_token"))
	case t.endpoint == endpointAPI:
		if token, ok := bearer(r); ok && d.access[token] != nil {
			g = d.access[token].grant
		}
	}
	if g != nil && g.ended == "" {
		d.endGrant(g, endedByFault, now)
	}
}

// drop ends the connection without another byte: by a TCP reset where there is
// a connection of its own, otherwise however the server ends it.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		raw = wrapped.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // then Close resets
	}
	_ = raw.Close()
}
