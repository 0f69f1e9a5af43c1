package provider_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// raw is a server that reads a request and does what it likes with the
// connection. It returns its address and counts connections.
func raw(t *testing.T, serve func(net.Conn)) (base string, connections chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = make(chan struct{}, 64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections <- struct{}{}
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			// Read whole: closing with something unread is a reset.
			if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, req.Body)
			}
			serve(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return "http://" + listener.Addr().String(), connections
}

func say(text string) func(net.Conn) {
	return func(conn net.Conn) { _, _ = io.WriteString(conn, text) }
}

// forever writes far more than the buffers of a connection hold, and fails the
// test if all of it is taken.
func forever(t *testing.T, conn net.Conn) {
	chunk := bytes.Repeat([]byte("A"), 64<<10)
	for range 1024 {
		if _, err := conn.Write(chunk); err != nil {
			return
		}
	}
	t.Error("the client read 64 MiB")
}

// TestHostileServers: whatever comes over the connection, the code goes out
// once, the call ends, the error says what kind of trouble it is, and shows
// nothing secret.
func TestHostileServers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for name, test := range map[string]struct {
		serve func(net.Conn)
		kind  error
	}{
		"closes at once":    {func(net.Conn) {}, provider.ErrUnreachable},
		"reset":             {func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }, provider.ErrUnreachable},
		"half a head":       {say("HTTP/1.1 200 OK\r\nContent-"), provider.ErrUnexpectedAnswer},
		"not HTTP":          {say("SSH-2.0-" + code.Reveal() + "\r\n"), provider.ErrUnexpectedAnswer},
		"echo for a status": {say("HTTP/1.1 " + code.Reveal() + "\r\n\r\n"), provider.ErrUnexpectedAnswer},
		"binary":            {say("\x00\x01\x02\xff\x1b[31m" + code.Reveal() + "\n\n"), provider.ErrUnexpectedAnswer},
		"half a body":       {say(head + "Content-Length: 1000\r\n\r\n{\"access_token\":"), provider.ErrUnreachable},
		"reset in the body": {func(c net.Conn) {
			say(head + "Content-Length: 1000\r\n\r\n{\"access_token\":")(c)
			_ = c.(*net.TCPConn).SetLinger(0)
		}, provider.ErrUnreachable},
		"truncated JSON": {say(head + "\r\n{\"access_token\":\"" + access.Reveal()), provider.ErrUnexpectedAnswer},
		"broken chunks":  {say(head + "Transfer-Encoding: chunked\r\n\r\nzz" + code.Reveal() + "\r\n"), provider.ErrUnexpectedAnswer},
		"huge header":    {say(head + "X: " + strings.Repeat("x", 200<<10) + "\r\n\r\n{}"), provider.ErrUnexpectedAnswer},
		"many headers":   {say(head + strings.Repeat("X: y\r\n", 40<<10) + "\r\n{}"), provider.ErrUnexpectedAnswer},
		"informs for ever": {func(c net.Conn) {
			for range 100_000 {
				if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n"); err != nil {
					return
				}
			}
		}, provider.ErrUnexpectedAnswer},
		"endless body": {func(c net.Conn) {
			say(head + "\r\n{\"access_token\":\"")(c)
			forever(t, c)
		}, provider.ErrUnexpectedAnswer},
		"endless refusal": {func(c net.Conn) {
			say("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n{\"error\":\"invalid_grant\",\"x\":\"")(c)
			forever(t, c)
		}, provider.ErrUnexpectedAnswer},
		"compressed": {say(head + "Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00\x00"), provider.ErrUnexpectedAnswer},
		"portal":     {say("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>log in"), provider.ErrUnexpectedAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			base, connections := raw(t, test.serve)
			_, err := dropboxClient(t, base).Exchange(bounded(t), code, verifier, "")
			e := fault(t, err, test.kind)
			if !e.Sent || len(connections) != 1 {
				t.Errorf("Sent = %v, %d connections; want true, 1", e.Sent, len(connections))
			}
			if len(err.Error()) > 400 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

// TestSlowServers: no phase of a request lasts for ever.
func TestSlowServers(t *testing.T) {
	short := provider.WithTimeouts(provider.Timeouts{Dial: 100 * time.Millisecond, TLS: 100 * time.Millisecond,
		Header: 100 * time.Millisecond, Total: 300 * time.Millisecond})
	waits := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	drips := func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(conn, " "); err != nil {
				return
			}
		}
	}
	for name, serve := range map[string]func(net.Conn){"no head": waits, "a body in drips": drips} {
		t.Run(name, func(t *testing.T) {
			base, _ := raw(t, serve)
			_, err := dropboxClient(t, base, short).Exchange(bounded(t), code, verifier, "")
			if e := fault(t, err, provider.ErrUnreachable); !e.Sent || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v, Sent = %v", err, e.Sent)
			}
		})
	}
	t.Run("no handshake", func(t *testing.T) {
		base, _ := raw(t, waits)
		_, err := dropboxClient(t, strings.Replace(base, "http:", "https:", 1), short).Exchange(bounded(t), code, verifier, "")
		if e := fault(t, err, provider.ErrUnreachable); e.Sent || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, Sent = %v", err, e.Sent)
		}
	})
	t.Run("the caller's own deadline", func(t *testing.T) {
		base, _ := raw(t, waits)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := dropboxClient(t, base).Exchange(ctx, code, verifier, "")
		if fault(t, err, provider.ErrUnreachable); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want context.DeadlineExceeded", err)
		}
	})
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + listener.Addr().String()
	_ = listener.Close()
	_, err = dropboxClient(t, base).Exchange(bounded(t), code, verifier, "")
	if e := fault(t, err, provider.ErrUnreachable); e.Sent || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v, Sent = %v; want that it was refused and not sent", err, e.Sent)
	}
}

func TestUntrustedCertificate(t *testing.T) {
	asked := make(chan struct{}, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	defer server.Close()
	_, err := dropboxClient(t, server.URL).Exchange(bounded(t), code, verifier, "")
	if e := fault(t, err, provider.ErrUnreachable); e.Sent || !strings.Contains(err.Error(), "certificate") || len(asked) > 0 {
		t.Errorf("%v, Sent = %v, asked %d times", err, e.Sent, len(asked))
	}
}

func TestOldTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(answerJSON(200, grantJSON()))
	server.Config.ErrorLog = quiet()
	server.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	server.StartTLS()
	defer server.Close()
	_, err := dropboxClient(t, server.URL).Exchange(bounded(t), code, verifier, "")
	if e := fault(t, err, provider.ErrUnreachable); e.Sent || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("%v, Sent = %v", err, e.Sent)
	}
}

func TestPlainServerBehindHTTPS(t *testing.T) {
	server := serve(t, answerJSON(200, grantJSON()))
	_, err := dropboxClient(t, strings.Replace(server.URL, "http:", "https:", 1)).Exchange(bounded(t), code, verifier, "")
	if e := fault(t, err, provider.ErrUnreachable); e.Sent || len(server.seen) > 0 {
		t.Errorf("%v, Sent = %v", err, e.Sent)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := serve(t, answerJSON(200, grantJSON()))
	for _, status := range []int{301, 302, 303, 307, 308} {
		for location, want := range map[string]string{
			elsewhere.URL + "/login?code=" + code.Reveal():  "127.0.0.1",
			"https://login.hotel.example/?" + code.Reveal(): "login.hotel.example",
			"https://" + code.Reveal() + ".example/":        "***.example",
			"/relative":                                     "redirect",
			"%zz":                                           "redirect",
			"":                                              "redirect",
		} {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			})
			c := dropboxClient(t, server.URL, quick)
			_, err := c.Exchange(bounded(t), code, verifier, "")
			if fault(t, err, provider.ErrUnexpectedAnswer); !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "?") {
				t.Errorf("%d to %s: %v, want %q in it", status, location, err, want)
			}
			_, err = c.Refresh(bounded(t), code, nil)
			fault(t, err, provider.ErrUnexpectedAnswer)
			_, err = c.Account(bounded(t), code)
			fault(t, err, provider.ErrUnexpectedAnswer)
		}
	}
	if len(elsewhere.seen) > 0 {
		t.Error("a redirect was followed")
	}
}

// TestProxy: the proxy of the environment is asked for a tunnel to other
// machines, learns nothing but their names, and gets nothing that is for this
// one. As net/http reads the environment once in a process, the client runs in
// another.
func TestProxy(t *testing.T) {
	const variable = "AUTHRING_TEST_PROXIED"
	if base := os.Getenv(variable); base != "" {
		if _, err := dropboxClient(t, base).Exchange(bounded(t), code, verifier, ""); err != nil {
			t.Errorf("to this machine: %v", err)
		}
		_, err := dropboxClient(t, "https://dropbox.invalid").Exchange(bounded(t), code, verifier, "")
		if e := fault(t, err, provider.ErrUnreachable); e.Sent {
			t.Errorf("%v: Sent = true", err)
		}
		return
	}
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Proxy-Authenticate", "Basic")
		w.WriteHeader(http.StatusProxyAuthRequired)
	})
	server := serve(t, answerJSON(200, grantJSON()))
	cmd := exec.CommandContext(bounded(t), os.Args[0], "-test.run=^TestProxy$", "-test.count=1")
	cmd.Env = append(os.Environ(), variable+"="+server.URL, "NO_PROXY=", "no_proxy=",
		"HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "HTTPS_PROXY="+proxy.URL, "https_proxy="+proxy.URL)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(proxy.seen) != 1 || len(server.seen) != 1 {
		t.Fatalf("the proxy was asked %d times, the server %d times; want 1 each", len(proxy.seen), len(server.seen))
	}
	if r := <-proxy.seen; r.method != http.MethodConnect || r.body != "" || r.auth != "" {
		t.Errorf("the proxy saw %+v", r)
	}
}

// TestConnectionsAreNotKept: a connection that died unseen would cost a code
// its only try.
func TestConnectionsAreNotKept(t *testing.T) {
	opened := make(chan struct{}, 8)
	server := httptest.NewUnstartedServer(answerJSON(200, goodRefresh))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	c := dropboxClient(t, server.URL)
	for range 3 {
		if _, err := c.Refresh(bounded(t), refresh, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(opened) != 3 {
		t.Errorf("3 requests had %d connections", len(opened))
	}
}

// TestServerEchoesSecrets plants what was sent in everything a server can say.
func TestServerEchoesSecrets(t *testing.T) {
	for _, status := range []int{200, 302, 400, 401, 403, 404, 429, 500, 503} {
		for _, contentType := range []string{"application/json", "text/html", "text/plain"} {
			for _, echo := range []string{"%s", "x%sx", "your code is %s!", "%.20s", "\\u0000%s\\u001b[2J"} {
				planted := strings.ReplaceAll(strings.Repeat(echo+" ", 5), "\\u", "\\\\u")
				all := fmt.Sprintf(planted, code.Reveal(), verifier.Reveal(), refresh.Reveal(), access.Reveal(), code.Reveal())
				body := fmt.Sprintf(`{"error":"%[1]s","error_description":"%[1]s","error_uri":"%[1]s","access_token":"%[1]s","token_type":"%[1]s",
					"error_summary":"%[1]s"}`, all)
				var logged bytes.Buffer
				server := serve(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Dropbox-Request-Id", refresh.Reveal())
					w.Header().Set("Location", "https://"+refresh.Reveal()+"/")
					w.Header().Set("Retry-After", refresh.Reveal())
					answer(status, contentType, body)(w, r)
				})
				c := dropboxClient(t, server.URL, quick, provider.WithLogger(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))))
				_, err := c.Exchange(bounded(t), code, verifier, "")
				show(t, err, &logged, code, verifier)
				_, err = c.Refresh(bounded(t), refresh, nil)
				show(t, err, &logged, refresh)
				_, err = c.Account(bounded(t), access)
				show(t, err, &logged, access)
				show(t, c.Revoke(bounded(t), access), &logged, access)
				show(t, c.Check(bounded(t), access), &logged, access)
			}
		}
	}
}

// show fails if an error, printed in any way, or the log shows a secret.
func show(t *testing.T, err error, logged *bytes.Buffer, secrets ...secret.Secret) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		text := fmt.Sprintf("%v %+v %#v", err, err, err)
		if e, ok := errors.AsType[*provider.Error](err); ok {
			text += fmt.Sprintf("%+v %#v", *e, *e)
			if len([]rune(e.Description)) > 200 || strings.ContainsFunc(e.Description+e.Code+e.RequestID, func(r rune) bool { return r < ' ' }) {
				t.Errorf("description %q", e.Description)
			}
		}
		noSecret(t, text, secrets...)
	}
	if logged.Len() == 0 {
		t.Error("nothing was logged")
	}
	noSecret(t, logged.String(), secrets...)
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
