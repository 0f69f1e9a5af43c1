package agentclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/agentclient"
)

// TestBadAgents asks what is no agent, or no good one.
func TestBadAgents(t *testing.T) {
	const locked = `{"error":"locked","message":"it is locked","exit_code":4,"hint":""}`
	const revoked = `{"error":"revoked","message":"it is revoked","exit_code":6,"hint":"link"}`
	for name, test := range map[string]struct {
		answer   string
		want     error
		code     string
		fallback bool
	}{
		"ends at once":         {"", agentclient.ErrFailed, "", true},
		"ends in the middle":   {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":", agentclient.ErrFailed, "", true},
		"after a sign of work": {"HTTP/1.1 102 Processing\r\n\r\n", agentclient.ErrFailed, "", true},
		"another protocol":     {"220 mail.example.org ESMTP\r\n", agentclient.ErrFailed, "", true},
		"no room":              {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", agentclient.ErrFailed, "", true},
		"another realm":        {"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n", agentclient.ErrOtherRealm, "", true},
		"no token":             {"HTTP/1.1 200 OK\r\n\r\n{}", agentclient.ErrFailed, "", true},
		"a token of two lines": {"HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"a\\nb\"}", agentclient.ErrFailed, "", true},
		"an empty error":       {"HTTP/1.1 500 X\r\n\r\n{}", agentclient.ErrFailed, "", true},
		"too much":             {"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 1<<20), agentclient.ErrFailed, "", true},
		"locked":               {"HTTP/1.1 423 Locked\r\n\r\n" + locked, nil, "locked", true},
		"revoked":              {"HTTP/1.1 410 Gone\r\n\r\n" + revoked, nil, "revoked", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := agentclient.Token(t.Context(), answering(t, test.answer), agentclient.Request{Config: "work"})
			var answer *agentclient.AgentError
			switch {
			case test.want != nil && !errors.Is(err, test.want):
				t.Errorf("Token = %v, want %v", err, test.want)
			case test.code != "" && (!errors.As(err, &answer) || answer.Code != test.code):
				t.Errorf("Token = %v, want %s", err, test.code)
			}
			if got := agentclient.Fallback(err); got != test.fallback {
				t.Errorf("Fallback(%v) = %v", err, got)
			}
		})
	}
	path := filepath.Join(folder(t), "none")
	if _, err := agentclient.Token(t.Context(), path, agentclient.Request{}); !errors.Is(err, agentclient.ErrNoAgent) {
		t.Errorf("nobody there: %v", err)
	}
}

// An agent that has ended a connection without a word is asked again, a few
// times: it was short of room, or is another one by now. What it was told to do
// is not said twice.
func TestEndedWithoutAWord(t *testing.T) {
	for _, test := range []struct {
		method      string
		ended, asks int
		ok          bool
	}{{"GET", 2, 3, true}, {"GET", 3, 3, false}, {"POST", 1, 1, false}} {
		l, err := net.Listen("unix", filepath.Join(folder(t), "s"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		asked := make(chan int, 1)
		go func() {
			n := 0
			for {
				c, err := l.Accept()
				if err != nil {
					asked <- n
					return
				}
				if n++; n > test.ended {
					_, _ = c.Read(make([]byte, 4096))
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
				}
				_ = c.Close()
			}
		}()
		_, err = agentclient.Call(t.Context(), l.Addr().String(), test.method, "/v1/token", "")
		_ = l.Close()
		if n := <-asked; n != test.asks || (err == nil) != test.ok || err != nil && !errors.Is(err, agentclient.ErrFailed) {
			t.Errorf("%s, ended %d times: asked %d times, %v", test.method, test.ended, n, err)
		}
	}
}

// A caller can give up on an agent that says nothing, by its context or by its
// patience, before the client itself would.
func TestGiveUp(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(folder(t), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for name, test := range map[string]struct {
		context  time.Duration
		patience time.Duration
		want     error
		fallback bool
	}{
		"context":      {20 * time.Millisecond, 0, context.DeadlineExceeded, false},
		"patience":     {time.Minute, 20 * time.Millisecond, os.ErrDeadlineExceeded, true},
		"no more time": {time.Minute, 1, agentclient.ErrFailed, true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), test.context)
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				_, err := agentclient.Token(ctx, l.Addr().String(), agentclient.Request{Patience: test.patience})
				ended <- err
			}()
			select {
			case err = <-ended:
			case <-time.After(agentclient.LongestSilence - time.Second):
				t.Fatal("it waits as long as it would for an answer")
			}
			if !errors.Is(err, test.want) || agentclient.Fallback(err) != test.fallback {
				t.Errorf("Token = %v, want %v", err, test.want)
			}
		})
	}
}

func TestLocate(t *testing.T) {
	dir := folder(t)
	environment := map[string]string{
		"HOME": dir, "XDG_RUNTIME_DIR": dir, "AppData": dir, "LocalAppData": dir,
	}
	getenv := func(name string) string { return environment[name] }
	here, err := agentclient.Locate(getenv)
	if err != nil || here.Named || here.Realm == "" || filepath.Base(here.Path) != "agent.sock" {
		t.Fatalf("Locate = %+v, %v", here, err)
	}
	environment["AUTHRING_DROPBOX_URL"] = "http://127.0.0.1:1"
	if there, err := agentclient.Locate(getenv); err != nil || there.Realm == here.Realm || there.Path != here.Path {
		t.Errorf("with an emulator: %+v, %v", there, err)
	}
	environment[agentclient.Variable] = "off"
	if _, err := agentclient.Locate(getenv); !errors.Is(err, agentclient.ErrOff) {
		t.Errorf("off: %v", err)
	}
	environment[agentclient.Variable] = "agent.sock"
	if _, err := agentclient.Locate(getenv); !errors.Is(err, agentclient.ErrVariable) {
		t.Errorf("a relative path: %v", err)
	}
	environment[agentclient.Variable] = filepath.Join(dir, "own.sock")
	if named, err := agentclient.Locate(getenv); err != nil || !named.Named || named.Realm != "" || named.Path != environment[agentclient.Variable] {
		t.Errorf("named: %+v, %v", named, err)
	}
}

// answering is a socket at which every request gets the same answer.
func answering(t *testing.T, answer string) (path string) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(folder(t), "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, answer)
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// folder is short: the path of a socket has to be.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "client")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
