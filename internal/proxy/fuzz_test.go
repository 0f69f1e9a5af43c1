package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"path"
	"strings"
	"testing"

	"github.com/authring/authring/internal/proxy"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

const fuzzToken = "sl.the-token-that-nobody-may-see"

// echo answers with the request that it got, and holds it against what may
// leave.
type echo struct {
	t    *testing.T
	from *provider.Provider
}

func (e echo) RoundTrip(r *http.Request) (*http.Response, error) {
	if !e.from.Serves(r.URL) || r.Host != r.URL.Host {
		e.t.Errorf("the token goes to %s, host %s", r.URL, r.Host)
	}
	plain := strings.ToLower(path.Clean(r.URL.Path)) + "/"
	for _, route := range e.from.TokenRoutes {
		if strings.HasPrefix(plain, route+"/") {
			e.t.Errorf("%s is open", r.URL)
		}
	}
	if got := r.Header["Authorization"]; len(got) != 1 || got[0] != "Bearer "+fuzzToken {
		e.t.Errorf("the header is %q", got)
	}
	for _, name := range []string{"Cookie", "Proxy-Authorization", "Origin", "Connection", "Upgrade", "Sec-Fetch-Site"} {
		if r.Header.Get(name) != "" {
			e.t.Errorf("%s goes out", name)
		}
	}
	dump, err := httputil.DumpRequest(r, true)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"X-Echo": r.Header["Authorization"]},
		Body: io.NopCloser(bytes.NewReader(dump)), Request: r, ContentLength: -1,
	}, nil
}

// Whatever a caller sends, the token goes to the provider alone, for routes
// that are open, and is in no answer.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"GET /S/2/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"POST /S/content.dropboxapi.com/2/x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: 2\r\n\r\n{}",
		"POST /S/2/auth/token/revoke HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"POST /S/2/%61uth/token/revoke HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"GET http://evil.example/S/2/x HTTP/1.1\r\nHost: localhost\r\nCookie: a=b\r\n\r\n",
		"GET /S//evil.example/2/x HTTP/1.1\r\nHost: localhost\r\nConnection: authorization\r\n\r\n",
		"GET /S/2/x?access_token=x HTTP/1.0\r\nHost: [::1]:80\r\nAuthorization: Bearer y\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"CONNECT api.dropboxapi.com:443 HTTP/1.1\r\nHost: api.dropboxapi.com\r\n\r\n",
		"GET /S/2/x HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
		"POST /S/2/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return
		}
		from := provider.Dropbox()
		p, err := proxy.New(proxy.Config{
			Provider: from, Secret: "S", Transport: echo{t, from},
			Token: func(context.Context, secret.Secret) (proxy.Token, error) {
				return proxy.Token{Text: secret.New(fuzzToken)}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler {
				panic(v)
			}
		}()
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		answer, err := httputil.DumpResponse(w.Result(), true)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(answer, []byte(fuzzToken)) {
			t.Errorf("%q tells the token: %q", raw, answer)
		}
		if given, _, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/"); given != "S" && w.Code != http.StatusNotFound {
			t.Errorf("%q is answered %d without the secret", raw, w.Code)
		}
	})
}
