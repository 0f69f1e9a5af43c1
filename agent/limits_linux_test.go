package agent_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/authring/authring/agent"
	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/internal/needs"
)

// Thousands of connections that say nothing, or never end what they say, cost
// the agent a bounded number of descriptors and little memory, and keep nobody
// from being served.
func TestHangingConnections(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	a := w.start(t, func(c *agent.Config) {
		c.Limits = agent.Limits{Silent: 64, SilentEach: 32, Header: time.Minute}
	})
	a.mustToken(t, agentclient.Request{Config: "work"})
	for i := range 2000 {
		c, err := net.Dial("unix", a.path)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer func() { _ = c.Close() }()
		if i%3 == 1 {
			_, _ = io.WriteString(c, "GET /v1/token?config=work HTTP/1.1\r\nX: ")
		}
		if i%200 == 0 {
			a.mustToken(t, agentclient.Request{Config: "work"})
		}
	}
	a.mustToken(t, agentclient.Request{Config: "work"})
	if n := a.status(t)["connections"].(float64); n > 70 {
		t.Errorf("%v connections are open", n)
	}
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	if memory.HeapAlloc > 64<<20 {
		t.Errorf("%d MB are in use", memory.HeapAlloc>>20)
	}
}

// Who has said something that the agent did not get to read yet is not silent.
func TestWhatIsUnreadIsNotSilent(t *testing.T) {
	for said, want := range map[string]bool{"": true, "GET /v1/ HTTP/1.1\r\n": false} {
		ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		var conns []net.Conn
		for _, fd := range ends {
			file := os.NewFile(uintptr(fd), "")
			c, err := net.FileConn(file)
			_ = file.Close()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			conns = append(conns, c)
		}
		if _, err := io.WriteString(conns[0], said); err != nil {
			t.Fatal(err)
		}
		another, _ := net.Pipe()
		if got := agent.MakesRoom(conns[1], another); got != want {
			t.Errorf("who said %q makes room: %v, want %v", said, got, want)
		}
	}
}

// Whoever finds the socket of an agent that starts finds it listening, and
// closed to others, as it will be.
func TestTheSocketIsClosedFromTheFirst(t *testing.T) {
	path := filepath.Join(socketFolder(t), "authring", "agent.sock")
	ended := make(chan struct{})
	var looks sync.WaitGroup
	looks.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
			}
			if err := agentclient.CheckPlace(path); err != nil {
				t.Errorf("the client would not ask there: %v", err)
				return
			}
			c, err := net.Dial("unix", path)
			switch {
			case err == nil:
				_ = c.Close()
			case errors.Is(err, syscall.ENOENT):
			default:
				t.Errorf("the socket is there, and: %v", err)
				return
			}
		}
	})
	for range 500 {
		l, err := agent.Listen(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if l.Addr().String() != path {
			t.Fatalf("the address is %s, want %s", l.Addr(), path)
		}
		l.Unname() // and it listens on, so that nobody is refused
		defer func() { _ = l.Close() }()
	}
	close(ended)
	looks.Wait()
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("beside the lock there are %v, %v", left, err)
	}
}

// A request that does not come to an end is ended.
func TestEndlessRequests(t *testing.T) {
	w := newWorld(t)
	a := w.start(t, func(c *agent.Config) { c.Limits.Header = 50 * time.Millisecond })
	for name, text := range map[string]string{
		"nothing":           "",
		"half a header":     "GET /v1/ HTTP/1.1\r\nHost:",
		"an endless line":   "GET /" + strings.Repeat("x", 1<<20),
		"an endless header": "GET /v1/ HTTP/1.1\r\n" + strings.Repeat("X-Y: zzzzzzzzzzzzzzzzzzzzz\r\n", 1<<15),
		"a body":            "POST /v1/stop HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc",
		"a chunked body":    "POST /v1/stop HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n",
		"another protocol":  "SSH-2.0-OpenSSH_9.2\r\n\r\n",
		"a web page":        "GET /v1/token HTTP/1.1\r\nHost: x\r\nOrigin: https://example.com\r\n\r\n",
	} {
		got := a.raw(t, text) // returns: the agent ended it
		if strings.Contains(got, "HTTP/1.1 2") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if !strings.Contains(a.raw(t, "GET /v1/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), `"protocol":1`) {
		t.Error("the agent does not serve any more")
	}
}

func TestWebPagesAreRefused(t *testing.T) {
	w := newWorld(t)
	a := w.start(t)
	for _, header := range []string{"Origin: null", "Sec-Fetch-Site: none"} {
		got := a.raw(t, "GET /v1/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+header+"\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 403 ") || !strings.Contains(got, `"exit_code":77`) {
			t.Errorf("%s: %s", header, got)
		}
	}
}

// There is one agent at a socket, and what a killed one left is no obstacle.
func TestListen(t *testing.T) {
	w := newWorld(t)
	a := w.start(t)
	if l, err := agent.Listen(t.Context(), a.path); err == nil || !strings.Contains(err.Error(), agent.ErrRunning.Error()) {
		t.Errorf("Listen beside an agent = %v, %v", l, err)
	}
	info, err := os.Lstat(a.path)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("the socket is %v, %v", info, err)
	}
	if info, err := os.Lstat(filepath.Dir(a.path)); err != nil || info.Mode() != os.ModeDir|0o700 {
		t.Errorf("its folder is %v, %v", info, err)
	}

	left := filepath.Join(socketFolder(t), "authring", "agent.sock")
	if err := os.Mkdir(filepath.Dir(left), 0o700); err != nil {
		t.Fatal(err)
	}
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: left, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(left, 0o600); err != nil {
		t.Fatal(err)
	}
	old.SetUnlinkOnClose(false)
	_ = old.Close()
	l, err := agent.Listen(t.Context(), left)
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if _, err := os.Lstat(left); !os.IsNotExist(err) {
		t.Errorf("the socket stays: %v", err)
	}

	// What others could have put there is not used.
	for name, spoil := range map[string]func(folder, path string) error{
		"a folder that others may use": func(folder, _ string) error { return os.Chmod(folder, 0o755) },
		"a link for a folder": func(folder, _ string) error {
			return os.Symlink(t.TempDir(), folder)
		},
		"a file":           func(_, path string) error { return os.WriteFile(path, nil, 0o600) },
		"a folder above":   func(folder, _ string) error { return os.Chmod(filepath.Dir(folder), 0o777) },
		"another's folder": func(folder, _ string) error { return os.Chown(folder, 1234, 1234) },
		"another's socket": func(_, path string) error {
			l, err := net.Listen("unix", path)
			if err != nil {
				return err
			}
			t.Cleanup(func() { _ = l.Close() })
			return os.Chown(path, 1234, 1234)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "another's") && !needs.Root(t) {
				return
			}
			path := filepath.Join(socketFolder(t), "authring", "agent.sock")
			if name != "a link for a folder" {
				if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if err := spoil(filepath.Dir(path), path); err != nil {
				t.Fatal(err)
			}
			if l, err := agent.Listen(t.Context(), path); err == nil {
				_ = l.Close()
				t.Error("Listen took it")
			}
			if err := agentclient.CheckPlace(path); err == nil {
				t.Error("the client would ask there")
			}
		})
	}
}

// Another user is refused by the system, and by the agent where the socket was
// opened to all.
func TestAnotherUser(t *testing.T) {
	if !needs.Root(t) {
		return
	}
	needs.Programs(t, "curl")
	w := newWorld(t)
	w.link(t, "work")
	a := w.start(t)
	first := a.mustToken(t, agentclient.Request{Config: "work"})
	other := func() string {
		cmd := exec.CommandContext(t.Context(), "curl", "-sS", "--max-time", "20", "--unix-socket", a.path, "http://authring/v1/token?config=work")
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	if got := other(); strings.Contains(got, first.AccessToken) || !strings.Contains(got, "(7)") {
		t.Errorf("another user got %s", got)
	}
	for _, path := range []string{filepath.Dir(filepath.Dir(a.path)), filepath.Dir(a.path), a.path} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		got := other()
		if strings.Contains(got, first.AccessToken) {
			t.Fatalf("another user, with the socket open to all, got %s", got)
		}
		if !strings.Contains(got, `"error":"refused"`) {
			t.Fatalf("another user, with the socket open to all, was not told that the agent refuses, but: %s", got)
		}
	}
}

// FuzzServe feeds the agent with what is no request.
func FuzzServe(f *testing.F) {
	for _, seed := range []string{
		"GET /v1/ HTTP/1.1\r\nHost: x\r\n\r\n", "GET /v1/token?config=work&fresh=true HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /v1/token?config=work&min_valid=5m&scope=a+b HTTP/1.1\r\nHost: x\r\nAuthring-Realm: here\r\n\r\n",
		"POST /v1/forget?config=work HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "GET /v1/links HTTP/1.0\r\n\r\n",
		"GET /v1/token?config=%00 HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/status HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET /v1/token?config=../../x&app=Maestral HTTP/1.1\r\nHost: x\r\nOrigin: null\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	w := newWorld(f)
	w.link(f, "work")
	a := w.start(f, func(c *agent.Config) { c.Limits.Header = 100 * time.Millisecond })
	var refresh string
	for _, value := range w.memory.Items() {
		refresh = value.Reveal()
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.Contains(string(data), "stop") {
			return // which is obeyed
		}
		c, err := net.Dial("unix", a.path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(bound))
		_, _ = c.Write(data)
		_ = c.(*net.UnixConn).CloseWrite()
		got, _ := io.ReadAll(io.LimitReader(c, 1<<20))
		if strings.Contains(string(got), refresh) {
			t.Error("the refresh token is in the reply")
		}
		if len(got) > 0 && !strings.HasPrefix(string(got), "HTTP/1.") {
			t.Error(fmt.Sprintf("the reply is %.80q", got))
		}
	})
}
