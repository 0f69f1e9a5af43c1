package proxy_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/authring/authring/internal/proxy"
	"github.com/authring/authring/provider"
)

// A request goes out with the token, and with nothing of the caller's own.
func TestRequestGoesOutWithTheToken(t *testing.T) {
	var got *http.Request
	var body []byte
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("X-Request-Id", "7")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "done")
	})
	f := newFront(t, u)
	status, header, answer := f.do("POST", "/2/files/upload?arg=%7B%7D&access_token=mine&Authorization=mine&x=1&%61ccess_token=mine&y=1;2&z=%zz&z;access_token=mine&&", strings.NewReader("content"),
		"Authorization", "Bearer mine", "Proxy-Authorization", "Basic mine", "Cookie", "c=mine", "Dpop", "mine", "Referer", "mine",
		"Connection", "X-Hop, keep-alive", "X-Hop", "mine", "Keep-Alive", "mine", "Te", "trailers", "X-Forwarded-For", "mine",
		"X-Forwarded-Port", "mine", "Proxy-Mine", "mine", "Accept-Encoding", "gzip",
		"Dropbox-API-Arg", `{"path":"/a"}`, "User-Agent", "tool/1")
	if status != http.StatusCreated || answer != "done" || header.Get("X-Request-Id") != "7" {
		t.Errorf("the answer is %d %q %v", status, answer, header)
	}
	if header.Get("Set-Cookie") != "" || header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("the answer has headers for browsers: %v", header)
	}
	if string(body) != "content" || got.Host != host(u.api) || got.URL.Path != "/2/files/upload" {
		t.Errorf("sent %q to %s%s", body, got.Host, got.URL.Path)
	}
	if want := "arg=%7B%7D&x=1&y=1;2&z=%zz&&"; got.URL.RawQuery != want {
		t.Errorf("the query is %q, want %q", got.URL.RawQuery, want)
	}
	want := http.Header{
		"Authorization":   {"Bearer " + text(1)},
		"Accept-Encoding": {"identity"},
		"Dropbox-Api-Arg": {`{"path":"/a"}`},
		"User-Agent":      {"tool/1"},
		"Content-Length":  {"7"},
	}
	if fmt.Sprint(got.Header) != fmt.Sprint(want) {
		t.Errorf("the headers are %v, want %v", got.Header, want)
	}
}

// Trailers are of this connection: neither they nor their names are passed on.
func TestTrailersEndHere(t *testing.T) {
	var got *http.Request
	u := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = io.Copy(io.Discard, r.Body)
	})
	f := newFront(t, u)
	status, _ := f.raw("POST /" + f.secret + "/2/x HTTP/1.1\nHost: " + f.addr + "\nConnection: close\n" +
		"Transfer-Encoding: chunked\nTrailer: Authorization, X-Mine\n\n3\nabc\n0\nAuthorization: Bearer mine\nX-Mine: mine\n\n")
	if status != 200 || len(got.Trailer) != 0 {
		t.Errorf("answered with %d; the trailers are %v", status, got.Trailer)
	}
}

// Several hosts are chosen by the path, or by the header Host.
func TestHostIsChosen(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s %s", r.Host, r.URL.EscapedPath())
	})
	f := newFront(t, u)
	api, content := host(u.api), host(u.content)
	for _, c := range []struct{ path, want string }{
		{"/2/x", api + " /2/x"},
		{"/" + api + "/2/x", api + " /2/x"},
		{"/" + content + "/2/x", content + " /2/x"},
		{"/" + strings.ReplaceAll(content, ":", "%3A") + "/2/x", content + " /2/x"},
		{"/" + content, content + " /"},
		{"/2/" + content, api + " /2/" + content},
		{"/2/a%2Fb%20c/", api + " /2/a%2Fb%20c/"},
		{"/2/100%25/50%25%20off", api + " /2/100%25/50%25%20off"},
		{"/other.example/2/x", api + " /other.example/2/x"},
		{"", api + " /"},
		{"/", api + " /"},
	} {
		if status, _, got := f.do("GET", c.path, nil); status != 200 || got != c.want {
			t.Errorf("%s leads to %d %q, want %q", c.path, status, got, c.want)
		}
	}
	status, got := f.raw("GET /" + f.secret + "/2/x HTTP/1.1\nHost: " + content + "\nConnection: close\n\n")
	if status != 200 || got != content+" /2/x" {
		t.Errorf("the header Host leads to %d %q", status, got)
	}
}

// What must not pass does not, and is not even a reason to get a token.
func TestRefusals(t *testing.T) {
	var asked atomic.Int32
	u := newUpstream(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	f := newFront(t, u)
	good := "/" + f.secret
	for _, c := range []struct {
		name    string
		want    int
		request string // its first line, and headers beside Host
		host    string
	}{
		{"no secret", 404, "GET /2/x HTTP/1.1\n", f.addr},
		{"nothing", 404, "GET / HTTP/1.1\n", f.addr},
		{"the start of the secret", 404, "GET " + good[:len(good)-1] + "/2/x HTTP/1.1\n", f.addr},
		{"more than the secret", 404, "GET " + good + "x/2/x HTTP/1.1\n", f.addr},
		{"the secret elsewhere", 404, "GET /2" + good + " HTTP/1.1\n", f.addr},
		{"the secret in the query", 404, "GET /?" + good[1:] + " HTTP/1.1\n", f.addr},
		{"no secret, from a page", 404, "GET /2/x HTTP/1.1\nOrigin: https://evil.example\n", f.addr},
		{"another host", 421, "GET " + good + "/2/x HTTP/1.1\n", "evil.example"},
		{"another host with our port", 421, "GET " + good + "/2/x HTTP/1.1\n", "evil.example:80"},
		{"a host that looks like ours", 421, "GET " + good + "/2/x HTTP/1.1\n", "127.0.0.1.evil.example"},
		{"all addresses", 421, "GET " + good + "/2/x HTTP/1.1\n", "0.0.0.0"},
		{"an empty host", 421, "GET " + good + "/2/x HTTP/1.1\n", ""},
		{"a page", 403, "GET " + good + "/2/x HTTP/1.1\nOrigin: https://evil.example\n", f.addr},
		{"a page without an origin", 403, "GET " + good + "/2/x HTTP/1.1\nOrigin: null\n", f.addr},
		{"a page of this machine", 403, "GET " + good + "/2/x HTTP/1.1\nOrigin: http://" + f.addr + "\n", f.addr},
		{"an image of a page", 403, "GET " + good + "/2/x HTTP/1.1\nSec-Fetch-Site: cross-site\n", f.addr},
		{"a browser", 403, "GET " + good + "/2/x HTTP/1.1\nSec-Fetch-Site: none\n", f.addr},
		{"a preflight", 403, "OPTIONS " + good + "/2/x HTTP/1.1\nOrigin: https://evil.example\nAccess-Control-Request-Method: POST\n", f.addr},
		{"TRACE", 405, "TRACE " + good + "/2/x HTTP/1.1\n", f.addr},
		{"TRACE, as some servers take it", 405, "trace " + good + "/2/x HTTP/1.1\n", f.addr},
		{"TRACK", 405, "TRACK " + good + "/2/x HTTP/1.1\n", f.addr},
		{"CONNECT to a path", 405, "CONNECT " + good + "/2/x HTTP/1.1\n", f.addr},
		{"CONNECT", 404, "CONNECT " + host(u.api) + " HTTP/1.1\n", f.addr},
		{"a forward proxy's request", 404, "GET " + u.api.URL + "/2/x HTTP/1.1\n", f.addr},
		{"that with the secret", 400, "GET " + u.api.URL + good + "/2/x HTTP/1.1\n", f.addr},
		{"a WebSocket", 501, "GET " + good + "/2/x HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket\n", f.addr},
		{"h2c", 501, "GET " + good + "/2/x HTTP/1.1\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\n", f.addr},
		{"the token endpoint", 403, "POST " + good + "/oauth2/token HTTP/1.1\n", f.addr},
		{"revoking", 403, "POST " + good + "/2/auth/token/revoke HTTP/1.1\n", f.addr},
		{"revoking on the other host", 403, "POST " + good + "/" + host(u.content) + "/2/auth/token/revoke HTTP/1.1\n", f.addr},
		{"revoking, in capitals", 403, "POST " + good + "/2/AUTH/token/revoke HTTP/1.1\n", f.addr},
		{"revoking, encoded", 403, "POST " + good + "/2%2F%61uth/token/revoke HTTP/1.1\n", f.addr},
		{"revoking, with a parameter", 403, "POST " + good + "/2/auth;x/token/revoke HTTP/1.1\n", f.addr},
		{"revoking by a detour", 400, "POST " + good + "/2/x/../auth/token/revoke HTTP/1.1\n", f.addr},
		{"a detour with a parameter", 400, "POST " + good + "/2/x/..;y/auth/token/revoke HTTP/1.1\n", f.addr},
		{"the server as a whole", 404, "OPTIONS * HTTP/1.1\n", f.addr},
		{"an encoded detour", 400, "POST " + good + "/2/x%2F%2e%2E%2fauth/token/revoke HTTP/1.1\n", f.addr},
		{"empty segments", 400, "POST " + good + "/2//auth/token/revoke HTTP/1.1\n", f.addr},
		{"a backslash", 400, "POST " + good + "/2%5Cauth/token/revoke HTTP/1.1\n", f.addr},
		{"revoking, encoded twice", 403, "POST " + good + "/2/%2561uth/token/revoke HTTP/1.1\n", f.addr},
		{"revoking, encoded three times", 403, "POST " + good + "/2%25252Fauth/token/revoke HTTP/1.1\n", f.addr},
		{"a detour, encoded twice", 400, "POST " + good + "/2/x/%252e%252e/auth/token/revoke HTTP/1.1\n", f.addr},
		{"encoded without an end", 400, "POST " + good + "/2/%25252525252561uth/token/revoke HTTP/1.1\n", f.addr},
		{"a detour out of the secret", 400, "GET " + good + "/../2/x HTTP/1.1\n", f.addr},
	} {
		status, body := f.raw(c.request + "Host: " + c.host + "\nConnection: close\n\n")
		if strings.Contains(c.request, "Upgrade") {
			status, body = f.raw(c.request + "Host: " + c.host + "\n\n")
		}
		if status != c.want {
			t.Errorf("%s: %d %q, want %d", c.name, status, body, c.want)
		}
		if strings.Contains(body, f.secret) {
			t.Errorf("%s: the answer tells the secret: %q", c.name, body)
		}
	}
	if asked.Load() != 0 || f.tokens.made() != 0 {
		t.Errorf("%d requests went out, %d tokens were got", asked.Load(), f.tokens.made())
	}
	// A route that only begins with the same letters is open.
	if status, _, body := f.do("GET", "/2/authors", nil); status != 200 {
		t.Errorf("/2/authors: %d %q", status, body)
	}
}

// A redirect is the caller's to follow, without a token.
func TestRedirectIsNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked, with %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", other.URL+"/?back="+url.QueryEscape(r.Header.Get("Authorization")))
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	f := newFront(t, u)
	status, header, _ := f.do("GET", "/2/x", nil)
	if want := other.URL + "/?back=Bearer+" + strings.Repeat("*", len(text(1))); status != 307 || header.Get("Location") != want {
		t.Errorf("%d to %q, want %q", status, header.Get("Location"), want)
	}
}

// A proxy cannot be made that would send the token elsewhere.
func TestTargetsAreTheProvidersOwn(t *testing.T) {
	from := provider.Dropbox()
	for _, raw := range []string{
		"https://evil.example", "http://api.dropboxapi.com", "https://api.dropboxapi.com.evil.example", "https://api.dropboxapi.com:8443",
		"https://api.dropboxapi.com@evil.example", "https://user:pass@api.dropboxapi.com", "https://api.dropboxapi.com/2", "https://api.dropboxapi.com?x",
		"api.dropboxapi.com", "//api.dropboxapi.com", "unix:///x", "http://127.0.0.1:80", "",
	} {
		if _, err := proxy.New(proxy.Config{Provider: from, Targets: []*url.URL{mustURL(t, raw)}}); err == nil {
			t.Errorf("%q is taken", raw)
		} else if strings.Contains(err.Error(), "pass") {
			t.Errorf("%q: the error repeats the password: %v", raw, err)
		}
	}
	for _, raw := range []string{"https://api.dropboxapi.com", "https://API.dropboxapi.com/", "https://content.dropboxapi.com:443"} {
		if _, err := proxy.New(proxy.Config{Provider: from, Targets: []*url.URL{mustURL(t, raw)}}); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
	}
	var all []string
	for _, u := range proxy.Origins(from) {
		all = append(all, u.String())
	}
	if !slices.Contains(all, "https://content.dropboxapi.com") || all[0] != "https://api.dropboxapi.com" {
		t.Errorf("the origins of Dropbox are %v", all)
	}
}

// Without a token there is an answer that says why, and no request.
func TestNoToken(t *testing.T) {
	u := newUpstream(t, func(http.ResponseWriter, *http.Request) { t.Error("a request went out") })
	f := newFront(t, u)
	f.tokens.err = errors.New("no account is linked")
	status, _, body := f.do("GET", "/2/x", nil)
	if status != 503 || !strings.Contains(body, `"no account is linked"`) {
		t.Errorf("%d %q", status, body)
	}
}

// A provider that cannot be reached is a gateway's fault, in JSON.
func TestNoConnection(t *testing.T) {
	u := newUpstream(t, nil)
	f := newFront(t, u)
	u.api.Close()
	if status, _, body := f.do("GET", "/2/x", nil); status != 502 || !strings.Contains(body, `"connection-failed"`) {
		t.Errorf("%d %q", status, body)
	}
}
