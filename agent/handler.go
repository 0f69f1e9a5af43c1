package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"time"
)

// handler answers the requests of connections that accept let in.
type handler struct {
	*Agent
	conns *conns
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, _ := r.Context().Value(connKey{}).(*conn)
	if c == nil {
		panic("agent: a request on a connection that is not its own")
	}
	h.conns.work(c)
	defer h.conns.rest(c)
	h.begin()
	defer h.done()
	if err := h.check(r); err != nil {
		// net/http would wait for the rest of a body.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
		w.Header().Set("Connection", "close")
		h.fail(w, err, Link{})
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		h.fail(w, badRequest("the query is malformed"), Link{})
		return
	}
	restricted := h.config.Only != nil
	switch r.URL.Path {
	case "/v1/":
		h.serve(w, r, http.MethodGet, func() { h.hello(w) })
	case "/v1/token":
		h.serve(w, r, http.MethodGet, func() { h.token(w, r, c, query) })
	case "/v1/links":
		h.serve(w, r, http.MethodGet, func() { h.list(w) })
	case "/v1/status":
		h.serve(w, r, http.MethodGet, func() { h.status(w) })
	case "/v1/forget", "/v1/stop":
		if restricted {
			h.fail(w, &RefusedError{Message: "this socket gives access tokens only", Hint: "Ask the agent itself."}, Link{})
			return
		}
		h.serve(w, r, http.MethodPost, func() { h.order(w, r.URL.Path, query) })
	default:
		h.fail(w, &requestError{http.StatusNotFound, "no-such-path", "there is no such path"}, Link{})
	}
}

// check refuses what no client of the protocol sends.
func (h *handler) check(r *http.Request) error {
	switch realm := r.Header.Get("Authring-Realm"); {
	case r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "":
		// Somebody has made the socket reachable for a browser.
		return &RefusedError{Message: "web pages get no tokens", Hint: "Send no Origin and no Sec-Fetch-Site."}
	case r.ContentLength != 0:
		return badRequest("the request has a body")
	case realm != "" && realm != h.config.Realm:
		return &requestError{http.StatusMisdirectedRequest, "other-realm", "this agent belongs to another environment"}
	}
	return nil
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, method string, f func()) {
	if r.Method != method {
		w.Header().Set("Allow", method)
		h.fail(w, &requestError{http.StatusMethodNotAllowed, "usage", "the method is not " + method}, Link{})
		return
	}
	f()
}

// onlyLink is the one link of a restricted agent.
type onlyLink struct {
	Config string `json:"config"`
	App    string `json:"app"`
}

func (h *handler) hello(w http.ResponseWriter) {
	var only *onlyLink
	if link := h.config.Only; link != nil {
		only = &onlyLink{link.Config, link.App}
	}
	reply(w, http.StatusOK, struct {
		Agent    string    `json:"agent"`
		Protocol int       `json:"protocol"`
		Version  string    `json:"version"`
		PID      int       `json:"pid"`
		Only     *onlyLink `json:"only,omitempty"`
	}{"authring", Protocol, h.config.Version, os.Getpid(), only})
}

func (h *handler) token(w http.ResponseWriter, r *http.Request, c *conn, query url.Values) {
	ask, err := h.readAsk(query)
	if err != nil {
		h.fail(w, err, Link{})
		return
	}
	ask.Process = h.process(c)
	c.signs.begin(w, h.config.Limits.Answer)
	token, err := h.answer(r.Context(), ask)
	overdue := c.signs.end()
	if overdue {
		// What ended the work has ended all that could follow here.
		w.Header().Set("Connection", "close")
	}
	if err != nil {
		if overdue && errors.Is(err, context.Canceled) {
			err = context.DeadlineExceeded
		}
		h.fail(w, err, ask.Link)
		return
	}
	reply(w, http.StatusOK, token)
}

// process tells who asks. The program is looked up only for those who use it.
func (h *handler) process(c *conn) Process {
	p := Process{UID: c.peer.UID, PID: c.peer.PID, peer: c.peer}
	if h.config.Authorize != nil || h.config.Audit != nil {
		p.Executable = c.program()
	}
	return p
}

// linkReply is a link that is in memory.
type linkReply struct {
	Config    string `json:"config"`
	App       string `json:"app"`
	AccountID string `json:"account_id"`
	Provider  string `json:"provider"`
}

func (h *handler) list(w http.ResponseWriter) {
	links := []linkReply{}
	h.mu.Lock()
	for _, held := range h.links {
		rec := held.session.Record()
		links = append(links, linkReply{held.link.Config, held.link.App, rec.AccountID, rec.Provider})
	}
	h.mu.Unlock()
	slices.SortFunc(links, func(a, b linkReply) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Config, b.Config))
	})
	reply(w, http.StatusOK, map[string]any{"links": links})
}

func (h *handler) order(w http.ResponseWriter, path string, query url.Values) {
	if path == "/v1/stop" {
		w.Header().Set("Connection", "close")
		reply(w, http.StatusAccepted, struct{}{})
		h.Stop()
		return
	}
	all := len(query) == 0
	link, err := h.readLink(query)
	if err != nil {
		h.fail(w, err, Link{})
		return
	}
	if all {
		link = Link{}
	}
	h.Forget(link)
	reply(w, http.StatusOK, struct{}{})
}

func (h *handler) fail(w http.ResponseWriter, err error, link Link) {
	reply(w, statusOf(err), h.explain(err, link))
}

// writeBound is how long a client may take to read an answer.
const writeBound = 5 * time.Second

// longestPlain is what net/http counts by itself: it buffers 2 KiB of an answer.
const longestPlain = 2 << 10

// The headers of every answer, made once.
var (
	jsonType = []string{"application/json"}
	noStore  = []string{"no-store"}
)

func reply(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte("{}")
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeBound))
	header := w.Header()
	header["Content-Type"], header["Cache-Control"] = jsonType, noStore
	if len(body) >= longestPlain {
		header.Set("Content-Length", strconv.Itoa(len(body)+1))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
	_, _ = w.Write(newline)
}

var newline = []byte{'\n'}
