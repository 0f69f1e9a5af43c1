package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authring/authring/internal/proxy"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

const bound = 30 * time.Second

// tokens hands out token-1, token-2 and so on; each is good until it is
// refused.
type tokens struct {
	mu  sync.Mutex
	n   int
	err error
}

func text(n int) string { return fmt.Sprintf("sl.the-access-token-%d", n) }

func (s *tokens) get(_ context.Context, refused secret.Secret) (proxy.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return proxy.Token{}, s.err
	}
	if s.n == 0 || refused.Reveal() == text(s.n) {
		s.n++
	}
	return proxy.Token{Text: secret.New(text(s.n))}, nil
}

func (s *tokens) made() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// upstream is a provider with two hosts, one server each.
type upstream struct {
	provider *provider.Provider
	api      *httptest.Server
	content  *httptest.Server
}

func newUpstream(t testing.TB, handler http.HandlerFunc) *upstream {
	t.Helper()
	u := &upstream{api: httptest.NewServer(handler), content: httptest.NewServer(handler)}
	t.Cleanup(u.api.Close)
	t.Cleanup(u.content.Close)
	u.provider = &provider.Provider{
		Name: "test", Title: "Test", TokenURL: u.api.URL + "/oauth2/token",
		Hosts: []string{host(u.api), host(u.content)}, TokenRoutes: []string{"/oauth2", "/2/auth"},
	}
	return u
}

func host(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

// front is a proxy that listens.
type front struct {
	t      testing.TB
	addr   string
	secret string
	client *http.Client
	tokens *tokens
}

func newFront(t testing.TB, u *upstream) *front {
	t.Helper()
	given := &tokens{}
	f := newFrontOf(t, u, given.get)
	f.tokens = given
	return f
}

// newFrontOf is newFront with tokens of another kind.
func newFrontOf(t testing.TB, u *upstream, token func(context.Context, secret.Secret) (proxy.Token, error)) *front {
	t.Helper()
	f := &front{t: t, secret: proxy.NewSecret(), client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableCompression: true},
	}}
	p, err := proxy.New(proxy.Config{Provider: u.provider, Secret: f.secret, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := proxy.ListenLoopback("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, listener) }()
	t.Cleanup(func() {
		f.client.CloseIdleConnections()
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(bound):
			t.Error("Serve does not end")
		}
	})
	return f
}

func (f *front) url(path string) string { return "http://" + f.addr + "/" + f.secret + path }

// do sends a request and returns status, header and body of the answer.
func (f *front) do(method, path string, body io.Reader, header ...string) (int, http.Header, string) {
	f.t.Helper()
	req, err := http.NewRequest(method, f.url(path), body)
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := f.client.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	for name, values := range resp.Trailer {
		resp.Header[name] = values
	}
	return resp.StatusCode, resp.Header, string(data)
}

// raw sends text as it is and returns the answer's status and body.
func (f *front) raw(request string) (int, string) {
	f.t.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(bound)); err != nil {
		f.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, strings.ReplaceAll(request, "\n", "\r\n")); err != nil {
		f.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		f.t.Fatalf("no answer to %q: %v", request, err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

func mustURL(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// newUpstreamWithout is a provider whose hosts nobody looks for.
func newUpstreamWithout() *provider.Provider {
	return &provider.Provider{Name: "test", Title: "Test", TokenURL: "http://127.0.0.1:1/oauth2/token", Hosts: []string{"127.0.0.1:1"}}
}
