package dropboxtest

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

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
