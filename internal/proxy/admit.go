package proxy

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// notTaken are the methods that ask for another connection, or have the server
// repeat the request, token and all. Some servers know them in lower case as well.
var notTaken = []string{http.MethodConnect, http.MethodTrace, "TRACK"}

// admit says why a request is not taken, or nil.
func (p *Proxy) admit(r *http.Request) *refused {
	switch {
	case slices.ContainsFunc(notTaken, func(method string) bool { return strings.EqualFold(r.Method, method) }):
		return &refused{http.StatusMethodNotAllowed, "method", "this proxy does not take " + r.Method}
	case r.URL.Host != "" || r.URL.Opaque != "" || r.URL.Path == "*":
		return &refused{http.StatusBadRequest, "address", "this is no forward proxy: the request must name a path alone"}
	case r.Header.Get("Upgrade") != "" || tokens(r.Header["Connection"], "upgrade"):
		return &refused{http.StatusNotImplemented, "upgrade", "this proxy does not change protocols"}
	case !isLoopbackName(hostname(r.Host)) && !p.targets.named(r.Host):
		// A page whose name was made to lead here (DNS rebinding) has its
		// own name there.
		return &refused{http.StatusMisdirectedRequest, "host", "the host that the request names is not one of this proxy's; localhost is"}
	case fromPage(r.Header):
		return &refused{http.StatusForbidden, "web-page", "requests of web pages are refused"}
	}
	return nil
}

// fromPage reports whether a browser made the request on behalf of a page, or
// asks whether a page may (the preflight of the Fetch standard). Every browser
// sends one of these headers to an address like ours, and pages cannot leave
// them out.
func fromPage(h http.Header) bool {
	for name := range h {
		if name == "Origin" || strings.HasPrefix(name, "Sec-Fetch-") || strings.HasPrefix(name, "Access-Control-Request-") {
			return true
		}
	}
	return false
}

// tokens reports whether a comma-separated header has the token.
func tokens(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// hostname is a Host header without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// isLoopbackName accepts what leads to this machine whoever runs the name
// service.
func isLoopbackName(name string) bool {
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Zone() == "" && addr.Unmap().IsLoopback()
}

// ours are the headers of a request that end here: credentials of the caller's
// own (the token is the only one that goes out), and what tells of the caller.
var ours = []string{
	"Authorization", "Cookie", "Cookie2", "Dpop", "Te", "Referer", "Via", "Forwarded", "X-Real-Ip",
	"X-Http-Method-Override", "X-Http-Method", "X-Method-Override", "X-Original-Url", "X-Rewrite-Url",
}

// oursBegin are beginnings of their names.
var oursBegin = []string{"Proxy-", "Sec-", "X-Forwarded-"}

// cleanRequest takes from a request what must not leave. Hop-by-hop headers
// (RFC 9110 section 7.6.1) are gone already, but for TE.
func cleanRequest(h http.Header) {
	for name := range h {
		if slices.Contains(ours, name) || slices.ContainsFunc(oursBegin, func(p string) bool { return strings.HasPrefix(name, p) }) {
			delete(h, name)
		}
	}
	// An answer is looked through for the token, which a compressed one
	// would hide.
	h.Set("Accept-Encoding", "identity")
}

// cleanAnswer takes from an answer what is for browsers, or would have the
// caller go elsewhere.
func cleanAnswer(h http.Header) {
	for name := range h {
		switch {
		case name == "Set-Cookie", name == "Set-Cookie2", name == "Alt-Svc", name == "Clear-Site-Data",
			name == "Strict-Transport-Security", name == "Authorization",
			strings.HasPrefix(name, "Access-Control-"):
			delete(h, name)
		}
	}
}

// cleanQuery takes the caller's own token out of a query: access_token is RFC
// 6750 section 2.3, authorization is Dropbox's for pages. "Clients MUST NOT use
// more than one method to transmit the token in each request." What else there
// is stays as it was written.
func cleanQuery(raw string) string {
	var kept []string
	for part := range strings.SplitSeq(raw, "&") {
		// Some servers part a query at semicolons as well.
		if !slices.ContainsFunc(strings.Split(part, ";"), isToken) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

// isToken reports whether a part of a query is a token, as far as a server could
// read its name so.
func isToken(part string) bool {
	name, _, _ := strings.Cut(part, "=")
	if plain, err := url.QueryUnescape(name); err == nil {
		name = plain
	}
	name = strings.TrimSpace(name)
	return strings.EqualFold(name, "access_token") || strings.EqualFold(name, "authorization")
}
