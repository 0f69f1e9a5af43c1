package proxy_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/internal/proxy"
)

// refuseFirst answers 401 to the tokens before the n-th.
func refuseFirst(n int, then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 1; i < n; i++ {
			if r.Header.Get("Authorization") == "Bearer "+text(i) {
				w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = io.WriteString(w, "refused")
				return
			}
		}
		then(w, r)
	}
}

func repeatBody(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = w.Write(body)
}

// A token that is refused is renewed once, and the request sent again whole.
func TestRefusedTokenIsRenewed(t *testing.T) {
	u := newUpstream(t, refuseFirst(2, repeatBody))
	for name, body := range map[string]string{
		"no body": "", "small": "argument", "as much as is kept": strings.Repeat("x", proxy.ReplayLimit),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t, u)
			status, _, got := f.do("POST", "/2/x", strings.NewReader(body))
			if status != 200 || got != body || f.tokens.made() != 2 {
				t.Errorf("%d with %d bytes after %d tokens, want 200 with %d after 2", status, len(got), f.tokens.made(), len(body))
			}
			if f.do("GET", "/2/x", nil); f.tokens.made() != 2 {
				t.Error("a good token was renewed")
			}
		})
	}
	// Without a length, and from a caller who waits for 100 Continue.
	f := newFront(t, u)
	status, _, got := f.do("POST", "/2/x", io.MultiReader(strings.NewReader("chunk"), strings.NewReader("ed")), "Expect", "100-continue")
	if status != 200 || got != "chunked" {
		t.Errorf("%d %q", status, got)
	}
}

// A large upload is not begun before the server has had its say on the token.
func TestLargeUploadIsSentAgain(t *testing.T) {
	var seen atomic.Int64
	u := newUpstream(t, refuseFirst(2, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		seen.Store(n)
	}))
	f := newFront(t, u)
	const size = 8 << 20
	if status, _, body := f.do("POST", "/2/x", bytes.NewReader(make([]byte, size))); status != 200 || seen.Load() != size {
		t.Errorf("%d %q; the server got %d bytes, want %d", status, body, seen.Load(), size)
	}
}

// What was sent beyond the limit cannot be sent again: the caller is told, and
// the next request has a new token.
func TestLateRefusalOfALargeUpload(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		refuseFirst(2, func(http.ResponseWriter, *http.Request) {})(w, r)
		if n == 0 {
			t.Error("the body did not come")
		}
	})
	f := newFront(t, u)
	if status, _, body := f.do("POST", "/2/x", bytes.NewReader(make([]byte, 8<<20))); status != 401 || body != "refused" {
		t.Errorf("%d %q, want the 401 of the server", status, body)
	}
	if status, _, _ := f.do("POST", "/2/x", bytes.NewReader(make([]byte, 8<<20))); status != 200 || f.tokens.made() != 2 {
		t.Errorf("the next request: %d after %d tokens", status, f.tokens.made())
	}
}

// A 401 that says nothing of the token is handed on, and renews nothing; nor
// does a server that refuses every token have one made for each request.
func TestRenewingHasBounds(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		} else {
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	f := newFront(t, u)
	for range 3 {
		if status, _, _ := f.do("GET", "/scope", nil); status != 401 {
			t.Error(status)
		}
	}
	if f.tokens.made() != 1 {
		t.Errorf("%d tokens for a scope that is missing", f.tokens.made())
	}
	for range 5 {
		if status, _, _ := f.do("GET", "/token", nil); status != 401 {
			t.Error(status)
		}
	}
	if f.tokens.made() != 2 {
		t.Errorf("%d tokens were made in a row, want one more", f.tokens.made())
	}
}

// While the transport still waits for the caller's bytes in one attempt, the
// next gets them in their order.
func TestBodyUnderTwoAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		body := proxy.NewBody(r)
		first := body.Attempt()
		go func() { _, _ = io.Copy(io.Discard, first) }()
		_, _ = io.WriteString(w, "one ")
		synctest.Wait() // it waits for more
		go func() {
			_, _ = io.WriteString(w, "two ")
			_, _ = io.WriteString(w, "three")
			_ = w.Close()
		}()
		if !body.Again() {
			t.Fatal("a short body cannot be sent again")
		}
		got, err := io.ReadAll(body.Attempt())
		if err != nil || string(got) != "one two three" {
			t.Errorf("the second attempt gets %q, %v", got, err)
		}
		if _, err := first.Read(make([]byte, 1)); err == nil {
			t.Error("the first attempt goes on")
		}
	})
}

// A caller who leaves takes the request along.
func TestCallerLeaves(t *testing.T) {
	arrived, gone := make(chan struct{}), make(chan struct{})
	u := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(gone)
	})
	f := newFront(t, u)
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", f.url("/2/x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := f.client.Do(req); err == nil {
		t.Error("there is an answer")
	}
	<-gone
}

// A body that is no body is the caller's fault, and the connection is not used
// again: what follows could be read as another request.
func TestBrokenBody(t *testing.T) {
	u := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	f := newFront(t, u)
	for name, body := range map[string]string{
		"no number": "5\r\nhello\r\nxyz\r\n",
		"too long":  "5\r\nhello, world\r\n0\r\n\r\n",
		"negative":  "-1\r\nx\r\n",
		"huge":      "fffffffffffffffff\r\nx\r\n",
	} {
		conn, err := net.Dial("tcp", f.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(bound))
		_, _ = io.WriteString(conn, "POST /"+f.secret+"/2/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"+body+
			"GET /"+f.secret+"/2/y HTTP/1.1\r\nHost: localhost\r\n\r\n")
		all, _ := io.ReadAll(conn)
		_ = conn.Close()
		if answers := string(all); !strings.HasPrefix(answers, "HTTP/1.1 400 ") || strings.Count(answers, "HTTP/1.1 ") != 1 {
			t.Errorf("%s: %q", name, answers)
		}
	}
}
