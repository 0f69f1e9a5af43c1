package dropboxtest

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Dropbox is an emulator that does not listen: an [http.Handler] with state.
// The server that serves it should be ended with Close rather than Shutdown,
// since some faults hold a connection for as long as the client does.
type Dropbox struct {
	config
	pages pages
	seal  seal

	mu         sync.Mutex
	users      []User // the state of users, which config only starts with
	signedIn   string // an account id
	codes      map[string]*code
	grants     []*grant          // that stand
	ended      []*grant          // that do not, the last of them
	numbered   map[uint64]*grant // both
	lastNumber uint64
	access     map[string]*accessToken
	expiring   []string // keys of access in the order of their minting, and of some that have gone
	faults     []Fault
	requests   []*Request
}

var _ http.Handler = (*Dropbox)(nil)

// New makes an emulator. It panics when the options contradict each other:
// two apps of one client id, or two users of one account id.
func New(opts ...Option) *Dropbox {
	c := newConfig(opts)
	d := &Dropbox{
		config:   c,
		pages:    newPages(),
		seal:     newSeal(),
		signedIn: c.startUsers[0].AccountID,
		codes:    make(map[string]*code),
		access:   make(map[string]*accessToken),
		numbered: make(map[uint64]*grant),
		faults:   slices.Clone(c.startFaults),
	}
	for i, app := range c.apps {
		if slices.ContainsFunc(c.apps[:i], func(a App) bool { return a.ClientID == app.ClientID }) {
			panic("dropboxtest: two apps have the client id " + app.ClientID)
		}
	}
	for i := range c.startUsers {
		u := c.startUsers[i].completed()
		if d.user(u.AccountID) != nil {
			panic("dropboxtest: two users have the account id " + u.AccountID)
		}
		d.users = append(d.users, u)
	}
	return d
}

// ServeHTTP answers one request.
func (d *Dropbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := d.clock()
	h := w.Header()
	h.Set("X-Dropbox-Request-Id", randomHex(16))
	h.Set("Date", now.UTC().Format(http.TimeFormat))
	// RFC 6749 section 5.1 asks for no-store with every answer that has a
	// token; no answer here is worth keeping.
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")

	if !knownHost(r.Host) {
		writeText(w, http.StatusMisdirectedRequest,
			"This is a local emulator. It answers to localhost and 127.0.0.1 only.")
		return
	}
	switch r.URL.Path {
	case "/_emulator/requests":
		d.serveRequests(w, r)
		return
	case "/_emulator/stats":
		d.serveStats(w, r)
		return
	}
	x := &exchange{d: d, w: w, entry: d.record(r, now), now: now}
	switch path := r.URL.Path; {
	case path == "/oauth2/authorize" || path == "/1/oauth2/authorize":
		d.serveFaulty(x, r, target{endpoint: endpointAuthorize}, d.serveAuthorize)
	case path == "/oauth2/token" || path == "/1/oauth2/token":
		d.serveToken(x, r)
	case strings.HasPrefix(path, "/2/"):
		route := strings.TrimPrefix(path, "/2/")
		d.serveFaulty(x, r, target{endpoint: endpointAPI, route: route}, func(w http.ResponseWriter, r *http.Request) {
			d.serveAPI(w, r, route)
		})
	case path == "/" && r.Method == http.MethodGet:
		d.pages.index(x, d.apps, d.everybody())
	default:
		d.pages.message(x, http.StatusNotFound, notFoundHeading, notFoundText)
	}
}

// knownHost reports whether a header Host is that of a client which meant this
// machine, or which was told to find Dropbox here. A web page that had its own
// name resolved to 127.0.0.1 sends that name.
func knownHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback()
	}
	switch strings.ToLower(host) {
	case "localhost",
		"dropbox.com", "www.dropbox.com", "api.dropbox.com",
		"api.dropboxapi.com", "content.dropboxapi.com", "notify.dropboxapi.com":
		return true
	}
	return false
}

// app returns the app of a client id. The apps do not change.
func (d *Dropbox) app(clientID string) (App, bool) {
	i := slices.IndexFunc(d.apps, func(a App) bool { return a.ClientID == clientID })
	if i < 0 {
		return App{}, false
	}
	return d.apps[i], true
}

// user returns the user of an account id, or nil. The caller holds the lock.
func (d *Dropbox) user(accountID string) *User {
	i := slices.IndexFunc(d.users, func(u User) bool { return u.AccountID == accountID })
	if i < 0 {
		return nil
	}
	return &d.users[i]
}

// allowOnly answers 405 unless the method is one of those named.
func allowOnly(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) {
		return true
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	writeText(w, http.StatusMethodNotAllowed, "This address takes "+strings.Join(methods, " and ")+" only.")
	return false
}

// expired reports whether a time that may be zero, for never, has come.
func expired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }
