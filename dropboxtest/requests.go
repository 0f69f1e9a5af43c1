package dropboxtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxRequests bounds what is remembered; older entries go first.
const maxRequests = 10_000

// Request is what is remembered of one request. It holds no secret, and nothing
// else of the query, the header or the body.
type Request struct {
	// Time is when it came, by the emulator's clock.
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	// Path is "(other)" or "/2/(other)" for what the emulator does not have,
	// since a path may hold anything.
	Path string `json:"path"`
	// GrantType is authorization_code or refresh_token for a token request of
	// these kinds, "other" for one of another kind, and otherwise empty.
	GrantType string `json:"grant_type,omitempty"`
	// Status is 0 when the connection was ended without an answer, or while
	// there is none yet.
	Status int `json:"status"`
	// Fault is the name of the fault that was met, if any.
	Fault string `json:"fault,omitempty"`
	// SecretInURL tells that the URL carried a code, a verifier, a token or a
	// client secret, which ends up in the logs of proxies and servers.
	SecretInURL bool `json:"secret_in_url,omitempty"`
}

// Requests returns what was asked since the start or the last
// [Dropbox.ResetRequests], oldest first and at most the last 10,000.
func (d *Dropbox) Requests() []Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]Request, len(d.requests))
	for i, r := range d.requests {
		out[i] = *r
	}
	return out
}

// ResetRequests forgets what was asked.
func (d *Dropbox) ResetRequests() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests = nil
}

// record enters a request into the log.
func (d *Dropbox) record(r *http.Request, now time.Time) *Request {
	entry := &Request{
		Time:        now,
		Method:      loggedMethod(r.Method),
		Path:        loggedPath(r.URL.Path),
		SecretInURL: secretInURL(r.URL),
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.requests) >= maxRequests {
		d.requests = slices.Delete(d.requests, 0, len(d.requests)-maxRequests+1)
	}
	d.requests = append(d.requests, entry)
	return entry
}

func loggedMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "(other)"
}

// loggedPath hides paths that might hold anything.
func loggedPath(path string) string {
	switch path {
	case "/", "/favicon.ico", "/_emulator/redirected",
		"/oauth2/authorize", "/1/oauth2/authorize", "/oauth2/token", "/1/oauth2/token":
		return path
	}
	if route, found := strings.CutPrefix(path, "/2/"); found {
		if _, known := lookupRoute(route); known {
			return path
		}
		return "/2/(other)"
	}
	return "(other)"
}

func loggedGrantType(grantType string) string {
	switch grantType {
	case "", grantCode, grantRefresh:
		return grantType
	}
	return "other"
}

// secretInURL looks for the parameters that RFC 6749 sections 2.3.1 and 4.1.3
// want in the body only.
func secretInURL(u *url.URL) bool {
	query, _ := url.ParseQuery(u.RawQuery) // what can be read of it
	for _, name := range []string{
		"code", "code_verifier", "client_secret", "refresh_token", "access_token", "authorization", "token",
	} {
		if query.Get(name) != "" {
			return true
		}
	}
	return false
}

// serveRequests answers GET /_emulator/requests.
func (d *Dropbox) serveRequests(w http.ResponseWriter, r *http.Request) {
	if allowOnly(w, r, http.MethodGet) {
		writeJSON(w, http.StatusOK, d.Requests())
	}
}
