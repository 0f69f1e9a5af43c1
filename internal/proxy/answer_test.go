package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/authring/authring/internal/proxy"
	"github.com/authring/authring/secret"
)

// An answer that repeats what was sent does not tell the token.
func TestAnswerDoesNotTellTheToken(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		auth := r.Header.Get("Authorization")
		w.Header().Set("X-Echo", auth)
		w.Header().Set("Authorization", auth)
		w.Header().Set("Trailer", "X-Late")
		w.Header().Set(strings.TrimPrefix(auth, "Bearer "), "a name")
		w.WriteHeader(http.StatusBadRequest)
		for _, piece := range []string{"Invalid header \"", auth[:9], auth[9:12], auth[12:], "\" and ", auth, auth[:20]} {
			_, _ = io.WriteString(w, piece)
			_ = http.NewResponseController(w).Flush()
		}
		w.Header().Set("X-Late", auth)
	})
	f := newFront(t, u)
	status, header, body := f.do("GET", "/2/x", nil)
	stars := strings.Repeat("*", len(text(1)))
	want := `Invalid header "Bearer ` + stars + `" and Bearer ` + stars + ("Bearer " + text(1))[:20]
	if status != 400 || body != want {
		t.Errorf("%d %q, want %q", status, body, want)
	}
	if got := header.Get("X-Echo"); got != "Bearer "+stars {
		t.Errorf("the header is %q", got)
	}
	if got := header.Get("X-Late"); got != "Bearer "+stars {
		t.Errorf("the trailer is %q", got)
	}
	if all := fmt.Sprint(header); strings.Contains(strings.ToLower(all), strings.ToLower(text(1))) || header.Get("Authorization") != "" {
		t.Errorf("the headers are %v", all)
	}
}

// What would hide the token from that look is not passed on.
func TestHiddenAnswers(t *testing.T) {
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/early":
			w.Header().Set("Link", r.Header.Get("Authorization"))
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Link")
			_, _ = io.WriteString(w, "after")
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "packed")
		case "/switch":
			conn, buffered, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" + r.Header.Get("Authorization"))
			_ = buffered.Flush()
			_ = conn.Close()
		}
	})
	f := newFront(t, u)
	if status, body := f.raw("GET /" + f.secret + "/early HTTP/1.1\nHost: localhost\nConnection: close\n\n"); status != 200 || body != "after" {
		t.Errorf("early hints: %d %q", status, body)
	}
	for _, path := range []string{"/gzip", "/switch"} {
		if status, _, body := f.do("GET", path, nil); status != 502 || strings.Contains(body, "packed") || strings.Contains(body, text(1)) {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
}

// However an answer is cut into pieces, it is as long as before, and holds
// asterisks where the token was.
func FuzzBlacken(f *testing.F) {
	f.Add([]byte("a sl.token-12 b"), "sl.token-12", uint8(3))
	f.Add([]byte("aaaaaaaaaaaaaaaaab"), "aaaaaaaab", uint8(1))
	f.Add([]byte("abababababababababac"), "ababababac", uint8(0))
	f.Add([]byte(strings.Repeat("x", 40000)+"sl.token-12"), "sl.token-12", uint8(4))
	f.Fuzz(func(t *testing.T, body []byte, token string, how uint8) {
		if len(token) < 8 || strings.Contains(token, "*") {
			return
		}
		var source io.Reader = bytes.NewReader(body)
		switch how % 4 {
		case 1:
			source = iotest.OneByteReader(source)
		case 2:
			source = iotest.HalfReader(source)
		case 3:
			source = iotest.DataErrReader(source)
		}
		resp := &http.Response{Body: io.NopCloser(source), Header: http.Header{}, Trailer: http.Header{}}
		proxy.Blacken(resp, secret.New(token))
		got, err := io.ReadAll(resp.Body)
		want := bytes.ReplaceAll(body, []byte(token), bytes.Repeat([]byte("*"), len(token)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q with the token %q becomes %q, %v; want %q", body, token, got, err, want)
		}
	})
}
