package callback

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// donePath is the page at the end. It has no parameters: the code does not stay
// in the address bar, nor in the history, nor in a screenshot.
const donePath = "/authring/done"

// patience is how long the page at the end waits for what it is to say.
const patience = 8 * time.Second

// hosts are the values of Host that mean this receiver. Under another name a
// foreign page could read it as if it were its own (DNS rebinding).
func hosts(port int) map[string]bool {
	allowed := map[string]bool{}
	for _, host := range []string{"127.0.0.1", "::1", "localhost"} {
		allowed[net.JoinHostPort(host, strconv.Itoa(port))] = true
		if port == 80 { // which a browser does not say
			allowed["127.0.0.1"], allowed["[::1]"], allowed["localhost"] = true, true, true
		}
	}
	return allowed
}

// serve answers every request. The order of the checks is that of how little a
// stranger has to know to pass them.
func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) {
	switch {
	case !r.hosts[req.Host]:
		r.show(w, http.StatusMisdirectedRequest, notHere)
	case req.URL.EscapedPath() == r.path && req.Method == http.MethodOptions:
		preflight(w, req)
	case req.URL.EscapedPath() != r.path && req.URL.EscapedPath() != donePath:
		r.show(w, http.StatusNotFound, notHere)
	case req.Method != http.MethodGet:
		// RFC 9110 section 15.5.6. The answer is a page that a browser
		// opens; what only looks ahead, as HEAD does, must not use it up.
		w.Header().Set("Allow", http.MethodGet)
		r.show(w, http.StatusMethodNotAllowed, notHere)
	case req.URL.EscapedPath() == donePath && req.URL.RawQuery == "":
		r.serveDone(w, req)
	case req.URL.EscapedPath() == donePath:
		r.show(w, http.StatusNotFound, notHere)
	default:
		r.serveAnswer(w, req)
	}
}

// serveAnswer looks at a redirect.
func (r *Receiver) serveAnswer(w http.ResponseWriter, req *http.Request) {
	query := req.URL.RawQuery
	r.mu.Lock()
	want := r.want
	r.mu.Unlock()
	_, err := Parse(query, want)
	switch {
	case errors.Is(err, ErrState):
		r.show(w, http.StatusBadRequest, stranger)
		return
	case !r.options.AnyUser && !fromOwnUser(req):
		r.show(w, http.StatusForbidden, r.otherUser())
		return
	case errors.Is(err, ErrMalformed):
		r.show(w, http.StatusBadRequest, malformed)
		return
	case !r.deliver(want, query):
		r.show(w, http.StatusGone, spent)
		return
	}
	header(w)
	w.Header().Set("Location", donePath)
	w.WriteHeader(http.StatusSeeOther)
}

// fromOwnUser keeps out other users of this machine. The state is no secret to
// them where the page's address was an argument of the command that opened it,
// and they could get a code of their own for the rest of that address.
func fromOwnUser(req *http.Request) bool {
	local, _ := req.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	client, err := netip.ParseAddrPort(req.RemoteAddr)
	return local != nil && err == nil && ownClient(client, local.AddrPort())
}

// deliver hands over the first answer, and no other.
func (r *Receiver) deliver(want Expected, query string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used || r.want != want {
		return false
	}
	r.used = true
	address, _, _ := strings.Cut(r.uri, "?")
	r.answers <- address + "?" + query
	return true
}

// serveDone shows the page at the end, once it is known what to say.
func (r *Receiver) serveDone(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	told, shown, used := r.told, r.shown, r.used
	r.mu.Unlock()
	if !used {
		r.show(w, http.StatusNotFound, notHere)
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), patience)
	defer cancel()
	select {
	case <-told:
	case <-ctx.Done():
	}
	r.mu.Lock()
	outcome := r.outcome
	r.mu.Unlock()
	r.show(w, http.StatusOK, r.end(outcome))
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-shown:
	default:
		close(shown)
	}
}

// preflight answers a browser that asks whether a page of the network may send
// its user to this machine (Private Network Access, sections 3.1 and 3.2; its
// drafts of 2023 are called Local Network Access, and so are their headers). It
// allows no page to read anything: the answers themselves have no such header.
func preflight(w http.ResponseWriter, req *http.Request) {
	header(w)
	h := w.Header()
	h.Set("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Private-Network, Access-Control-Request-Local-Network")
	h.Set("Allow", http.MethodGet)
	if origin := req.Header.Get("Origin"); origin != "" && req.Header.Get("Access-Control-Request-Method") == http.MethodGet {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Methods", http.MethodGet)
		h.Set("Access-Control-Allow-Credentials", "true")
		for _, network := range []string{"Private-Network", "Local-Network"} {
			if req.Header.Get("Access-Control-Request-"+network) == "true" {
				h.Set("Access-Control-Allow-"+network, "true")
			}
		}
	}
	w.WriteHeader(http.StatusNoContent)
}
