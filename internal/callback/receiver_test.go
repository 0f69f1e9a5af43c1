package callback_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/callback"
)

// bound is how long a test waits for what must happen.
const bound = 30 * time.Second

func listen(t *testing.T, uris ...string) *callback.Receiver {
	t.Helper()
	if len(uris) == 0 {
		uris = []string{"http://127.0.0.1/callback"}
	}
	r, err := callback.Listen(callback.Options{URIs: uris, Program: "authring", Provider: "Dropbox"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(r) })
	return r
}

// stop closes without waiting for a browser.
func stop(r *callback.Receiver) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.Close(ctx)
}

func port(t *testing.T, r *callback.Receiver) string {
	t.Helper()
	u, err := url.Parse(r.RedirectURI())
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request as it is written, and follows nothing.
func ask(t *testing.T, method, address string, header map[string]string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	if host := header["Host"]; host != "" {
		req.Host = host
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func got(t *testing.T, answers <-chan string) string {
	t.Helper()
	select {
	case address := <-answers:
		return address
	case <-time.After(bound):
		t.Fatal("no answer came")
		return ""
	}
}

func none(t *testing.T, answers <-chan string) {
	t.Helper()
	select {
	case address := <-answers:
		t.Errorf("an answer came: %s", address)
	default:
	}
}

func TestAnswer(t *testing.T) {
	r := listen(t)
	answers := r.Expect(callback.Expected{State: state})
	query := "?code=" + code + "&state=" + state
	a := ask(t, "GET", r.RedirectURI()+query, nil)
	// No code is left in the address bar.
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/authring/done" || a.body != "" {
		t.Errorf("answered %d to %q", a.status, a.header.Get("Location"))
	}
	if address := got(t, answers); address != r.RedirectURI()+query {
		t.Errorf("got %s", address)
	}
	r.Tell(callback.Linked)
	r.Tell(callback.Failed) // too late
	done := ask(t, "GET", "http://127.0.0.1:"+port(t, r)+"/authring/done", nil)
	if done.status != 200 || !strings.Contains(done.body, "Dropbox is linked") || !strings.Contains(done.body, "You can close this page") {
		t.Errorf("page %d:\n%s", done.status, done.body)
	}
	if strings.Contains(done.body, code) || regexp.MustCompile(`(?i)<script|\son[a-z]+=|src=|href="https?:|https?://`).
		MatchString(strings.ReplaceAll(done.body, "http://www.w3.org/2000/svg", "")) {
		t.Errorf("the page has a code, a script, or an address:\n%s", done.body)
	}
	for _, a := range []answer{a, done} {
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
			"Content-Security-Policy": "default-src 'none'", "X-Frame-Options": "DENY",
		} {
			if !strings.Contains(a.header.Get(name), want) {
				t.Errorf("%s: %q, want %q", name, a.header.Get(name), want)
			}
		}
		if a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Error("other pages may read it")
		}
	}
	// One use.
	for range 2 {
		if a := ask(t, "GET", r.RedirectURI()+query, nil); a.status != http.StatusGone {
			t.Errorf("a second time: %d", a.status)
		}
	}
	none(t, answers)
}

// Neither ends the wait, and the right answer counts after all of them.
func TestStrangers(t *testing.T) {
	r := listen(t)
	before := ask(t, "GET", r.RedirectURI()+"?code="+code+"&state="+state, nil)
	if before.status != 400 {
		t.Errorf("before anything was expected: %d", before.status)
	}
	answers := r.Expect(callback.Expected{State: state, Issuer: issuer})
	base := "http://127.0.0.1:" + port(t, r)
	right := "?code=" + code + "&state=" + state
	for _, c := range []struct {
		method, path string
		header       map[string]string
		want         int
	}{
		{"GET", "/callback", nil, 400},
		{"GET", "/callback?code=x", nil, 400},
		{"GET", "/callback?code=x&state=guess", nil, 400},
		{"GET", "/callback?error=access_denied", nil, 400},
		{"GET", "/callback?error=access_denied&state=guess", nil, 400},
		{"GET", "/callback?error=access_denied&state=", nil, 400},
		{"GET", "/callback?state=" + state, nil, 400},
		{"GET", "/callback" + right + "&state=" + state, nil, 400},
		{"HEAD", "/callback" + right, nil, 405},
		{"POST", "/callback" + right, nil, 405},
		{"PUT", "/callback" + right, nil, 405},
		{"DELETE", "/callback" + right, nil, 405},
		{"TRACE", "/callback" + right, nil, 405},
		{"OPTIONS", "/callback" + right, nil, 204},
		{"OPTIONS", "/", nil, 404},
		{"GET", "/callback/" + right, nil, 404},
		{"GET", "/Callback" + right, nil, 404},
		{"GET", "//callback" + right, nil, 404},
		{"GET", "/x/../callback" + right, nil, 404},
		{"GET", "/call%62ack" + right, nil, 404},
		{"GET", "/" + right, nil, 404},
		{"GET", "/favicon.ico", nil, 404},
		{"GET", "/robots.txt", nil, 404},
		{"GET", "/authring/done", nil, 404},
		{"GET", "/authring/done" + right, nil, 404},
		{"GET", "/callback" + right, map[string]string{"Host": "evil.example"}, 421},
		{"GET", "/callback" + right, map[string]string{"Host": "evil.example:" + port(t, r)}, 421},
		{"GET", "/callback" + right, map[string]string{"Host": "127.0.0.1.evil.example:" + port(t, r)}, 421},
		{"GET", "/callback" + right, map[string]string{"Host": "127.0.0.1"}, 421},
		{"GET", "/callback" + right, map[string]string{"Host": "127.0.0.1:1"}, 421},
		{"GET", "/callback" + right, map[string]string{"Host": "localhost."}, 421},
		{"OPTIONS", "/callback", map[string]string{"Host": "evil.example"}, 421},
		{"GET", "/callback?x=" + strings.Repeat("x", 64<<10), nil, 431},
	} {
		name := c.method + " " + c.path[:min(len(c.path), 60)]
		a := ask(t, c.method, base+c.path, c.header)
		if a.status != c.want {
			t.Errorf("%s %v: %d, want %d", name, c.header, a.status, c.want)
		}
		if c.want == 405 && a.header.Get("Allow") != "GET" {
			t.Errorf("%s: Allow %q", name, a.header.Get("Allow"))
		}
		if strings.Contains(a.body, state) || strings.Contains(a.body, code) {
			t.Errorf("%s: the page repeats what was sent:\n%s", name, a.body)
		}
		if c.want == 400 && !strings.Contains(a.body, "Nothing was changed") {
			t.Errorf("%s: the page does not say that nothing happened:\n%s", name, a.body)
		}
	}
	none(t, answers)
	if a := ask(t, "GET", base+"/callback"+right, nil); a.status != http.StatusSeeOther {
		t.Fatalf("the right answer: %d", a.status)
	}
	got(t, answers)
}

// What is no HTTP, or half of it, holds up nobody.
func TestNoise(t *testing.T) {
	r := listen(t)
	answers := r.Expect(callback.Expected{State: state})
	for _, text := range []string{
		"\x16\x03\x01\x02\x00\x01\x00", "GET", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\n", "GET /callback HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"GET /callback?code=" + code + "&state=" + state + " HTTP/1.1\r\n\r\n", "GET * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:" + port(t, r) + "\r\n\r\n", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
		"GET http://evil.example/callback?code=" + code + "&state=" + state + " HTTP/1.1\r\nHost: 127.0.0.1:" + port(t, r) + "\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port(t, r))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
	}
	// Many, and none says a word.
	for range 300 {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port(t, r))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	none(t, answers)
	if a := ask(t, "GET", r.RedirectURI()+"?code="+code+"&state="+state, nil); a.status != http.StatusSeeOther {
		t.Errorf("the right answer: %d", a.status)
	}
	got(t, answers)
}

func TestPreflight(t *testing.T) {
	r := listen(t)
	r.Expect(callback.Expected{State: state})
	for network, other := range map[string]string{"Private-Network": "Local-Network", "Local-Network": "Private-Network"} {
		a := ask(t, "OPTIONS", r.RedirectURI(), map[string]string{
			"Origin": "https://www.dropbox.com", "Access-Control-Request-Method": "GET", "Access-Control-Request-" + network: "true",
		})
		for name, want := range map[string]string{
			"Access-Control-Allow-" + network: "true", "Access-Control-Allow-" + other: "", "Access-Control-Allow-Origin": "https://www.dropbox.com",
			"Access-Control-Allow-Methods": "GET", "Access-Control-Allow-Credentials": "true",
		} {
			if a.status != 204 || a.header.Get(name) != want {
				t.Errorf("%d %s: %q, want %q", a.status, name, a.header.Get(name), want)
			}
		}
	}
	a := ask(t, "OPTIONS", r.RedirectURI(), map[string]string{
		"Origin": "https://evil.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Private-Network": "true",
	})
	if a.header.Get("Access-Control-Allow-Origin") != "" || a.header.Get("Access-Control-Allow-Private-Network") != "" {
		t.Errorf("POST is allowed: %v", a.header)
	}
}

func TestErrorsAreAnswers(t *testing.T) {
	for name, query := range map[string]string{
		"denied":         "error=access_denied&state=" + state,
		"another issuer": "code=" + code + "&state=" + state + "&iss=https%3A%2F%2Fevil.example",
	} {
		t.Run(name, func(t *testing.T) {
			r := listen(t)
			answers := r.Expect(callback.Expected{State: state, Issuer: issuer})
			if a := ask(t, "GET", r.RedirectURI()+"?"+query, nil); a.status != 303 {
				t.Errorf("answered %d", a.status)
			}
			if !strings.HasSuffix(got(t, answers), query) {
				t.Error("another query came")
			}
			r.Tell(callback.Denied)
			if a := ask(t, "GET", "http://127.0.0.1:"+port(t, r)+"/authring/done", nil); !strings.Contains(a.body, "Access was not given") {
				t.Errorf("the page says:\n%s", a.body)
			}
		})
	}
}

// A fresh page has a state of its own; the one before counts no more.
func TestExpectAgain(t *testing.T) {
	r := listen(t)
	first := r.Expect(callback.Expected{State: "first"})
	ask(t, "GET", r.RedirectURI()+"?code=x&state=first", nil)
	got(t, first)
	second := r.Expect(callback.Expected{State: "second"})
	if a := ask(t, "GET", r.RedirectURI()+"?code=x&state=first", nil); a.status != 400 {
		t.Errorf("the old state: %d", a.status)
	}
	if a := ask(t, "GET", r.RedirectURI()+"?code=y&state=second", nil); a.status != 303 {
		t.Errorf("the new state: %d", a.status)
	}
	if address := got(t, second); !strings.Contains(address, "code=y") {
		t.Errorf("got %s", address)
	}
}

// The page is shown even when the program has all that it wants at once.
func TestCloseLetsThePageBeSeen(t *testing.T) {
	r := listen(t)
	answers := r.Expect(callback.Expected{State: state})
	base := "http://127.0.0.1:" + port(t, r)
	type result struct {
		body string
		err  error
	}
	results := make(chan result, 1)
	go func() {
		client := http.Client{Timeout: bound} // which follows the redirect, as a browser does
		resp, err := client.Get(base + "/callback?code=" + code + "&state=" + state)
		if err != nil {
			results <- result{err: err}
			return
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		results <- result{string(body), err}
	}()
	got(t, answers)
	r.Tell(callback.Linked)
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	r.Close(ctx)
	if ctx.Err() != nil {
		t.Error("Close did not notice that the page was shown")
	}
	if res := <-results; res.err != nil || !strings.Contains(res.body, "Dropbox is linked") {
		t.Errorf("the browser got %v:\n%s", res.err, res.body)
	}
	if _, err := net.Dial("tcp", "127.0.0.1:"+port(t, r)); err == nil {
		t.Error("it still listens")
	}
}

// Connections that say nothing make room for others, the oldest first, and hold
// up no end.
func TestSilentConnections(t *testing.T) {
	r := listen(t)
	var ours []net.Conn
	for range 65 {
		theirs, other := net.Pipe()
		r.Connection(theirs, http.StateNew)
		ours = append(ours, other)
	}
	closed := func(conn net.Conn) bool {
		if conn.SetReadDeadline(time.Now()) != nil {
			return true // a pipe whose other end is closed has none
		}
		_, err := conn.Read(make([]byte, 1))
		return err == io.EOF
	}
	if !closed(ours[0]) || closed(ours[1]) || closed(ours[64]) {
		t.Error("with one too many it is not the oldest that has to go")
	}
	stop(r)
	for i, conn := range ours {
		if !closed(conn) {
			t.Fatalf("the end waits for connection %d, which says nothing", i)
		}
	}
}

func TestBothLoopbackAddresses(t *testing.T) {
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Logf("this machine has no ::1, so that only 127.0.0.1 is tried: %v", err)
	} else {
		_ = l.Close()
	}
	r := listen(t, "http://localhost/callback")
	if !strings.HasPrefix(r.RedirectURI(), "http://localhost:") {
		t.Errorf("the redirect URI is %s", r.RedirectURI())
	}
	for _, address := range []string{"127.0.0.1", "::1"} {
		conn, err := net.Dial("tcp", net.JoinHostPort(address, port(t, r)))
		if err != nil {
			if address == "::1" {
				continue
			}
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := fmt.Fprintf(conn, "GET /callback HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", net.JoinHostPort(address, port(t, r))); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, " 400 ") {
			t.Errorf("%s answers %q, %v", address, line, err)
		}
	}
}

// Ports that are registered are tried in their order, and are exact.
func TestPortsInOrder(t *testing.T) {
	taken, free := listen(t), 0
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free = other.Addr().(*net.TCPAddr).Port
	_ = other.Close()
	busy := "http://127.0.0.1:" + port(t, taken) + "/callback"
	good := "http://127.0.0.1:" + strconv.Itoa(free) + "/callback?from=a+b"
	r := listen(t, busy, good, "http://127.0.0.1/callback")
	if r.RedirectURI() != good {
		t.Errorf("listens at %s, want %s", r.RedirectURI(), good)
	}
	answers := r.Expect(callback.Expected{State: state})
	ask(t, "GET", r.RedirectURI()+"&code="+code+"&state="+state, nil)
	if address := got(t, answers); !strings.Contains(address, "/callback?from=a+b&code=") {
		t.Errorf("got %s", address)
	}
	if _, err := callback.Listen(callback.Options{URIs: []string{busy, good}}); err == nil || !strings.Contains(err.Error(), busy) || !strings.Contains(err.Error(), good) {
		t.Errorf("with all ports taken: %v", err)
	}
}

// Somebody who has the port on the other address would get what is sent there.
func TestAPortThatIsHalfTaken(t *testing.T) {
	half, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Logf("this machine has no ::1: %v", err)
		return
	}
	defer func() { _ = half.Close() }()
	uri := "http://localhost:" + strconv.Itoa(half.Addr().(*net.TCPAddr).Port) + "/callback"
	if r, err := callback.Listen(callback.Options{URIs: []string{uri}}); err == nil {
		stop(r)
		t.Error("it listens beside somebody else")
	}
}

func TestRedirectURIsThatCannotBe(t *testing.T) {
	for _, uri := range []string{
		"", "://", "https://127.0.0.1:1/", "http://192.0.2.1:1/", "http://0.0.0.0:1/", "http://[::]:1/", "http://example.org/", "http://127.0.0.1:99999/",
		"http://127.0.0.1:1/#x", "http://127.0.0.1:1/#", "http://u:p@127.0.0.1:1/", "http://127.0.0.2:1/", "http://localhost.example:1/", "http://127.0.0.1/authring/done", "com.example.app:/x",
	} {
		if err := callback.CheckURI(uri); err == nil {
			t.Errorf("%q is accepted", uri)
		}
	}
	if _, err := callback.Listen(callback.Options{}); err == nil {
		t.Error("no redirect URI is accepted")
	}
	for _, uri := range []string{"http://127.0.0.1/", "http://127.0.0.1", "http://[::1]:53682/a/b", "http://localhost:1/?x=y"} {
		if err := callback.CheckURI(uri); err != nil {
			t.Errorf("%q: %v", uri, err)
		}
	}
}
