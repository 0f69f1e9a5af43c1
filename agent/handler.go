package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"
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

// sign is how often an agent that works on a request says so, so that the client
// can tell work from a process that hangs.
const sign = 2 * time.Second

func (h *handler) token(w http.ResponseWriter, r *http.Request, c *conn, query url.Values) {
	ask, err := h.readAsk(query)
	if err != nil {
		h.fail(w, err, Link{})
		return
	}
	ask.Process = h.process(c)
	ctx, cancel := context.WithTimeout(r.Context(), h.config.Limits.Answer)
	defer cancel()
	signs := newSigns(w)
	token, err := h.answer(ctx, ask)
	signs.end()
	if err != nil {
		h.fail(w, err, ask.Link)
		return
	}
	reply(w, http.StatusOK, token)
}

// signs tell a client that waits that its request is being worked on.
type signs struct {
	mu    sync.Mutex
	w     http.ResponseWriter
	timer *time.Timer
	ended bool
}

// newSigns gives the first sign when it has taken long. Until the end nobody
// else may write.
func newSigns(w http.ResponseWriter) *signs {
	s := &signs{w: w}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(sign, s.give)
	return s
}

func (s *signs) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.w.WriteHeader(http.StatusProcessing)
	s.timer.Reset(sign)
}

func (s *signs) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.timer.Stop()
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

func reply(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte("{}")
	}
	body = append(body, '\n')
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeBound))
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
