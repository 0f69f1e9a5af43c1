package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/agent"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/record"
)

// bound is how long a test waits for what should come at once.
const bound = 30 * time.Second

// world is a user with links, a Dropbox in this process, and a keyring in
// memory.
type world struct {
	dropbox *dropboxtest.Dropbox
	memory  *keyringtest.Memory
	layout  record.Layout
	opened  atomic.Int32
	offline atomic.Bool
	hold    chan struct{} // not nil: the provider answers once it is closed
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{dropbox: dropboxtest.New(), memory: keyringtest.NewMemory(keyring.SecretService)}
	var err error
	if w.layout, err = record.LayoutIn("authring", t.TempDir(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return w
}

// RoundTrip hands a request to the Dropbox of this process.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.offline.Load() {
		return nil, errors.New("the network is unplugged")
	}
	if w.hold != nil {
		select {
		case <-w.hold:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	w.dropbox.ServeHTTP(recorder, in)
	answer := recorder.Result()
	answer.Request = r
	return answer, nil
}

func (w *world) open(_, config string) (*authring.Session, error) {
	w.opened.Add(1)
	return authring.Open(config, authring.WithLayout(w.layout), authring.WithTransport(w),
		authring.WithKeyrings(w.memory), authring.WithPrompt(keyring.NoPrompt), authring.WithSwitchAccount())
}

// link links a config name, as another process does.
func (w *world) link(t testing.TB, config string) {
	t.Helper()
	s := w.session(t, config)
	code, err := w.dropbox.Approve(s.AuthURL())
	if err == nil {
		err = s.VerifyAuthToken(t.Context(), code)
	}
	if err == nil {
		_, err = s.SaveCreds(t.Context())
	}
	if err != nil {
		t.Fatalf("could not link %q: %v", config, err)
	}
}

func (w *world) session(t testing.TB, config string) *authring.Session {
	t.Helper()
	s, err := w.open("", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (w *world) refreshes() int {
	n := 0
	for _, r := range w.dropbox.Requests() {
		if r.Path == "/oauth2/token" && r.GrantType == "refresh_token" {
			n++
		}
	}
	return n
}

// running is an agent that serves.
type running struct {
	*agent.Agent
	path  string
	ended chan error
}

func (w *world) start(t testing.TB, change ...func(*agent.Config)) *running {
	t.Helper()
	config := agent.Config{Open: w.open, Realm: "here", Version: "test"}
	for _, f := range change {
		f(&config)
	}
	a, err := agent.New(config)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{Agent: a, path: filepath.Join(socketFolder(t), "authring", "agent.sock"), ended: make(chan error, 1)}
	l, err := agent.Listen(t.Context(), r.path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { r.ended <- a.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		r.wait(t)
		_ = a.Close()
	})
	return r
}

// wait waits for Serve, and leaves its error to be waited for again.
func (r *running) wait(t testing.TB) error {
	t.Helper()
	select {
	case err := <-r.ended:
		r.ended <- err
		return err
	case <-time.After(bound):
		t.Fatal("the agent does not end")
		return nil
	}
}

// socketFolder is short: the path of a socket has to be.
func socketFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (r *running) token(t testing.TB, ask agentclient.Request) (agentclient.Reply, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	return agentclient.Token(ctx, r.path, ask)
}

func (r *running) mustToken(t testing.TB, ask agentclient.Request) agentclient.Reply {
	t.Helper()
	reply, err := r.token(t, ask)
	if err != nil {
		t.Fatalf("Token(%+v): %v", ask, err)
	}
	return reply
}

// fails asks for a token that is not to be had.
func (r *running) fails(t testing.TB, ask agentclient.Request, code string, exit int) {
	t.Helper()
	_, err := r.token(t, ask)
	var answer *agentclient.AgentError
	if !errors.As(err, &answer) || answer.Code != code || answer.ExitCode != exit {
		t.Errorf("Token(%+v) = %#v, want %s and %d", ask, err, code, exit)
	}
}

// raw sends text and returns all that comes back.
func (r *running) raw(t testing.TB, text string) string {
	t.Helper()
	c, err := net.Dial("unix", r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(bound))
	_, _ = io.WriteString(c, text)
	all, _ := io.ReadAll(c)
	return string(all)
}

func TestToken(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	a := w.start(t)
	before := w.refreshes()
	first := a.mustToken(t, agentclient.Request{Config: "work", App: "authring", Realm: "here"})
	if first.TokenType != "Bearer" || first.Config != "work" || first.AccountID != w.dropbox.User().AccountID {
		t.Errorf("the reply is %+v", first)
	}
	if left := time.Until(first.ExpiresAt); left < 3*time.Hour || left > 5*time.Hour {
		t.Errorf("the token ends in %v", left)
	}
	if again := a.mustToken(t, agentclient.Request{Config: "work"}); again.AccessToken != first.AccessToken {
		t.Error("the second token is another one")
	}
	if n := w.refreshes() - before; n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	if fresh := a.mustToken(t, agentclient.Request{Config: "work", Fresh: true}); fresh.AccessToken == first.AccessToken {
		t.Error("a fresh token was asked for, and is the old one")
	}
	narrow := a.mustToken(t, agentclient.Request{Config: "work", Scope: "files.metadata.read"})
	if narrow.Scope != "files.metadata.read" {
		t.Errorf("the narrow token has the scope %q", narrow.Scope)
	}
}

func TestErrors(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	a := w.start(t)
	a.fails(t, agentclient.Request{Config: "none"}, "not-linked", 3)
	a.fails(t, agentclient.Request{Config: "../x"}, "name", 64)
	w.memory.Fail(keyring.ErrLocked)
	a.fails(t, agentclient.Request{Config: "work"}, "locked", 4)
	w.memory.Fail(nil)
	a.fails(t, agentclient.Request{Config: "work", MinValid: 99 * time.Hour}, "validity-too-long", 64)
	w.offline.Store(true)
	a.fails(t, agentclient.Request{Config: "work", Fresh: true}, "connection-failed", 2)
	w.offline.Store(false)
	w.dropbox.Revoke(w.dropbox.User().AccountID)
	a.fails(t, agentclient.Request{Config: "work", Fresh: true}, "revoked", 6)
	if _, err := a.token(t, agentclient.Request{Config: "work", Realm: "elsewhere"}); !errors.Is(err, agentclient.ErrOtherRealm) {
		t.Errorf("asked for another realm: %v", err)
	}
	for _, target := range []string{
		"/v1/token?config=work&config=home", "/v1/token?config=work&sudo=1", "/v1/token?config=work&min_valid=x",
		"/v1/token?fresh=maybe", "/v1/token?config=%zz", "/v1/token?config=work&min_valid=-1s",
	} {
		if got := a.raw(t, "GET "+target+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 400 ") || !strings.Contains(got, `"exit_code":64`) {
			t.Errorf("%s: %s", target, got)
		}
	}
}

// status is what the agent tells of itself.
func (r *running) status(t testing.TB) map[string]any {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	body, err := agentclient.Call(ctx, r.path, "GET", "/v1/status", "")
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatal(err)
	}
	return members
}
