package agent_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/agent"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

// What another process did to a link counts from the next answer on.
func TestTheLinkIsChanged(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	a := w.start(t)
	ask := agentclient.Request{Config: "work"}
	first := a.mustToken(t, ask)

	w.link(t, "work")
	second := a.mustToken(t, ask)
	if second.AccessToken == first.AccessToken {
		t.Error("the token is that of the link before the relink")
	}
	if _, err := w.session(t, "work").Unlink(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.fails(t, ask, "not-linked", 3)
	w.link(t, "work")
	if third := a.mustToken(t, ask); third.AccessToken == second.AccessToken {
		t.Error("the token is that of the link before the unlink")
	}
}

// What is known of the provider was changed: its addresses, or the client
// secret, may be others now.
func TestTheProviderIsChanged(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	file := filepath.Join(t.TempDir(), "provider.json")
	a := w.start(t, func(c *agent.Config) {
		c.Described = func(_, config string) string { return map[string]string{"work": file}[config] }
	})
	before := a.mustToken(t, agentclient.Request{Config: "work"})
	if again := a.mustToken(t, agentclient.Request{Config: "work"}); again.AccessToken != before.AccessToken {
		t.Error("nothing was changed, and the token is another")
	}
	opened := w.opened.Load()
	for _, text := range []string{"one", "and two"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a.mustToken(t, agentclient.Request{Config: "work"})
		if now := w.opened.Load(); now != opened+1 {
			t.Errorf("opened %d times, want once", now-opened)
		}
		opened = w.opened.Load()
	}
}

// A link that was made anew within one step of the file system's clock, a
// second on some, is another one, also in Maestral's layout.
func TestTheLinkIsMadeAnewInOneTick(t *testing.T) {
	for _, app := range []string{record.DefaultApp, record.MaestralApp} {
		w := newWorld(t)
		var err error
		if w.layout, err = record.LayoutIn(app, t.TempDir(), t.TempDir()); err != nil {
			t.Fatal(err)
		}
		w.link(t, "work")
		if !agent.SameInOneTick(w.layout, "work", func() {}) {
			t.Errorf("%s: a link that nobody touched is taken for another", app)
		}
		if agent.SameInOneTick(w.layout, "work", func() { w.link(t, "work") }) {
			t.Errorf("%s: a relink is not seen", app)
		}
		again := func() {
			if _, err := w.session(t, "work").Unlink(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.link(t, "work")
		}
		if agent.SameInOneTick(w.layout, "work", again) {
			t.Errorf("%s: that it was ended and linked anew is not seen", app)
		}
	}
}

// An answer that was under way as the link ended is not handed out.
func TestTheLinkEndsMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	w.hold = make(chan struct{})
	a := w.start(t)
	failed := make(chan error, 1)
	go func() {
		_, err := agentclient.Token(t.Context(), a.path, agentclient.Request{Config: "work"})
		failed <- err
	}()
	waitUntil(t, func() bool { return a.status(t)["links"] == 1.0 })
	// As an editor would, without the lock that a refresh holds.
	path := w.layout.ConfigPath("work")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	close(w.hold)
	select {
	case err := <-failed:
		var answer *agentclient.AgentError
		if !errors.As(err, &answer) || answer.Code != "not-linked" {
			t.Errorf("Token = %v, want not-linked; the record was %s", err, text)
		}
	case <-time.After(bound):
		t.Fatal("no answer")
	}
}

func TestForget(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	w.link(t, "home")
	a := w.start(t)
	work := a.mustToken(t, agentclient.Request{Config: "work"})
	home := a.mustToken(t, agentclient.Request{Config: "home"})
	if got := a.status(t)["links"]; got != 2.0 {
		t.Errorf("%v links in memory, want 2", got)
	}
	if got := a.raw(t, "POST /v1/forget?config=work HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Fatal(got)
	}
	if a.mustToken(t, agentclient.Request{Config: "work"}).AccessToken == work.AccessToken {
		t.Error("the token was not forgotten")
	}
	if a.mustToken(t, agentclient.Request{Config: "home"}).AccessToken != home.AccessToken {
		t.Error("the other link was forgotten, too")
	}
}

// The agent ends when nobody asked for long enough, and not while it works.
func TestIdleEnd(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	clock := newHandClock()
	a := w.start(t, func(c *agent.Config) { c.Idle = time.Hour; c.SetClock(clock) })
	clock.pass(59 * time.Minute)
	a.mustToken(t, agentclient.Request{Config: "work"})
	clock.pass(59 * time.Minute)
	w.hold = make(chan struct{})
	answered := make(chan error, 1)
	go func() {
		_, err := agentclient.Token(t.Context(), a.path, agentclient.Request{Config: "work", Fresh: true})
		answered <- err
	}()
	waitUntil(t, func() bool { return a.status(t)["busy"] == 2.0 })
	clock.pass(5 * time.Hour)
	close(w.hold)
	if err := <-answered; err != nil {
		t.Errorf("asked as it would have been idle: %v", err)
	}
	select {
	case err := <-a.ended:
		t.Fatalf("the agent ended, with %v, a moment after a request", err)
	default:
	}
	a.mustToken(t, agentclient.Request{Config: "work"})
	clock.pass(time.Hour)
	clock.pass(time.Hour)
	if err := a.wait(t); err != nil {
		t.Errorf("the idle agent ended with %v", err)
	}
	if _, err := os.Lstat(a.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its socket is still there: %v", err)
	}
	if _, err := a.token(t, agentclient.Request{Config: "work"}); !errors.Is(err, agentclient.ErrNoAgent) {
		t.Errorf("asked afterwards: %v", err)
	}
}

func TestStop(t *testing.T) {
	w := newWorld(t)
	a := w.start(t)
	if got := a.raw(t, "POST /v1/stop HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 202 ") {
		t.Fatal(got)
	}
	if err := a.wait(t); err != nil {
		t.Errorf("Serve = %v", err)
	}
}

// A link that is asked for is renewed before its token ends, without a request
// at that moment; one that nobody asks for any more is not.
func TestRenewAhead(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	clock := newHandClock()
	a := w.start(t, func(c *agent.Config) { c.Idle = 4 * time.Hour; c.SetClock(clock) })
	ask := agentclient.Request{Config: "work"}
	first := a.mustToken(t, ask)
	before := w.refreshes()
	clock.pass(3*time.Hour + 30*time.Minute)
	waitUntil(t, func() bool { return w.refreshes() == before+1 })
	// The old one is valid, and handed out, until the answer is there.
	waitUntil(t, func() bool { return a.mustToken(t, ask).AccessToken != first.AccessToken })
	if n := w.refreshes(); n != before+1 {
		t.Errorf("%d refreshes, want 1", n-before)
	}
	before = w.refreshes()
	if n := a.mustToken(t, ask); n.AccessToken == "" || w.refreshes() != before {
		t.Error("renewed again")
	}
}

// What takes too long is ended, is told of, and takes the connection with it.
func TestAnAnswerThatTakesTooLong(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	w.hold = make(chan struct{})
	a := w.start(t, func(c *agent.Config) { c.Limits.Answer = 50 * time.Millisecond })
	got := a.raw(t, "GET /v1/token?config=work HTTP/1.1\r\nHost: x\r\n\r\n") // returns: the agent ends it
	if strings.HasPrefix(got, "HTTP/1.1 200 ") || !strings.Contains(got, `"exit_code":`) {
		t.Errorf("the answer is %s", got)
	}
	close(w.hold)
	a.mustToken(t, agentclient.Request{Config: "work"})
}

// A token that lives for five minutes only, as many servers give them, is in
// memory like any other, however often it is asked for, and is renewed before a
// request has to wait for that.
func TestTokensThatLiveBriefly(t *testing.T) {
	w := newWorld(t)
	w.dropbox = dropboxtest.New(dropboxtest.WithAccessTokenTTL(5 * time.Minute))
	w.link(t, "work")
	clock := newHandClock()
	a := w.start(t, func(c *agent.Config) { c.SetClock(clock) })
	ask := agentclient.Request{Config: "work"}
	first := a.mustToken(t, ask)
	before := w.refreshes()
	for _, later := range []time.Duration{0, time.Minute} {
		clock.pass(later)
		for range 3 * agent.Burst {
			if a.mustToken(t, ask).AccessToken != first.AccessToken {
				t.Fatal("another token, though the first is good")
			}
		}
	}
	if n := w.refreshes(); n != before {
		t.Errorf("%d refreshes for what is in memory", n-before)
	}
	clock.pass(time.Minute + 29*time.Second) // half of its life is the least
	waitUntil(t, func() bool { return w.refreshes() == before+1 })
}

// waitUntil looks again and again: what it waits for tells nobody.
func waitUntil(t *testing.T, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(bound)
	for !happened() {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
	}
}

// Whoever asks for new tokens all the time is stopped before the provider does.
func TestTooOften(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	clock := newHandClock()
	a := w.start(t, func(c *agent.Config) { c.SetClock(clock) })
	before := w.refreshes()
	for range agent.Burst {
		a.mustToken(t, agentclient.Request{Config: "work", Fresh: true})
	}
	a.fails(t, agentclient.Request{Config: "work", Fresh: true}, "too-often", 75)
	a.mustToken(t, agentclient.Request{Config: "work"}) // which is in memory
	clock.pass(agent.Pause)
	a.mustToken(t, agentclient.Request{Config: "work", Fresh: true})
	if n := w.refreshes() - before; n != agent.Burst+1 {
		t.Errorf("%d refreshes", n)
	}
}

// The refresh token is in no reply.
func TestNoReplyHoldsTheRefreshToken(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	a := w.start(t)
	var held []string
	for _, value := range w.memory.Items() {
		held = append(held, value.Reveal())
	}
	if len(held) != 1 {
		t.Fatalf("the keyring holds %d items", len(held))
	}
	for _, path := range []string{"", "token?config=work", "token?config=work&fresh=true", "links", "status", "refresh_token", "token?refresh_token=1"} {
		if got := a.raw(t, "GET /v1/"+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); strings.Contains(got, held[0]) || got == "" {
			t.Errorf("/v1/%s: %q", path, got)
		}
	}
}

// A restricted agent knows one link, and gives tokens only.
func TestRestricted(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	w.link(t, "home")
	a := w.start(t, func(c *agent.Config) { c.Only = &agent.Link{App: "authring", Config: "work"} })
	if reply := a.mustToken(t, agentclient.Request{Config: "work"}); reply.Config != "work" {
		t.Errorf("the reply is %+v", reply)
	}
	got := a.raw(t, "GET /v1/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 200 ") || !strings.Contains(got, `"config":"work"`) {
		t.Errorf("asked for no link: %s", got)
	}
	if got := a.raw(t, "GET /v1/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.Contains(got, `"only":{"config":"work","app":"authring"}`) {
		t.Errorf("it does not say whose tokens it has: %s", got)
	}
	if reply := a.mustToken(t, agentclient.Request{MinValid: time.Minute}); reply.Config != "work" {
		t.Errorf("the client asked for no link: %+v", reply)
	}
	a.fails(t, agentclient.Request{Config: "home"}, "refused", 77)
	a.fails(t, agentclient.Request{Config: "work", App: "Maestral"}, "refused", 77)
	for _, path := range []string{"stop", "forget"} {
		if got := a.raw(t, "POST /v1/"+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 403 ") {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// Policy and audit log see who asks, and have the last word.
func TestAuthorize(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	entries := make(chan agent.Entry, 16)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	a := w.start(t, func(c *agent.Config) {
		c.Audit = func(e agent.Entry) { entries <- e }
		c.Authorize = func(_ context.Context, ask agent.Ask) (agent.Answer, error) {
			if ask.Process.PID != os.Getpid() || ask.Process.UID != os.Geteuid() || ask.Process.Executable != self || ask.Process.Check() != nil {
				t.Errorf("asked by %+v", ask.Process)
			}
			if ask.Fresh {
				return agent.Answer{}, &agent.RefusedError{Message: "not today", Hint: "Ask tomorrow.", Rule: "deny-fresh"}
			}
			return agent.Answer{Scope: []string{"files.metadata.read"}, Rule: "narrow"}, nil
		}
	})
	if reply := a.mustToken(t, agentclient.Request{Config: "work"}); reply.Scope != "files.metadata.read" {
		t.Errorf("the token has the scope %q", reply.Scope)
	}
	if e := <-entries; e.Outcome != "ok" || e.Rule != "narrow" || e.Ask.Config != "work" || len(e.Scope) != 1 || e.Expires.IsZero() {
		t.Errorf("the entry is %+v", e)
	}
	a.fails(t, agentclient.Request{Config: "work", Fresh: true}, "refused", 77)
	if e := <-entries; e.Outcome != "refused" || e.Rule != "deny-fresh" {
		t.Errorf("the entry is %+v", e)
	}
}

// A session with the option asks the agent, and does without one where it has
// to.
func TestSessionWithAgent(t *testing.T) {
	w := newWorld(t)
	t.Setenv("HOME", t.TempDir())
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "AppData", "LocalAppData"} {
		t.Setenv(name, t.TempDir())
	}
	open := func(_, config string) (*authring.Session, error) {
		return authring.Open(config, authring.WithTransport(w), authring.WithKeyrings(w.memory))
	}
	linking, err := open("", "work")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = linking.Close() }()
	code, err := w.dropbox.Approve(linking.AuthURL())
	if err == nil {
		err = linking.VerifyAuthToken(t.Context(), code)
	}
	if err == nil {
		_, err = linking.SaveCreds(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	a := w.start(t, func(c *agent.Config) { c.Open = open })
	t.Setenv(agentclient.Variable, a.path)
	session := func(transport http.RoundTripper) *authring.Session {
		s, err := authring.Open("work", authring.WithAgent(), authring.WithTransport(transport), authring.WithKeyrings(w.memory))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	first, err := session(unplugged{}).Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := session(unplugged{})
	second, err := s.Token(t.Context())
	if err != nil || !second.AccessToken.Equal(first.AccessToken) || second.Expires.IsZero() {
		t.Errorf("the second session got another token: %v", err)
	}
	if third, err := s.Token(t.Context(), authring.Fresh()); err != nil || third.AccessToken.Equal(first.AccessToken) {
		t.Errorf("a fresh token was asked for: %v", err)
	}
	if narrow, err := s.Token(t.Context(), authring.Scope("files.metadata.read")); err != nil || narrow.Scope != "files.metadata.read" {
		t.Errorf("a narrow token was asked for, and has the scope %q: %v", narrow.Scope, err)
	}
	if _, err := s.Token(t.Context(), authring.Scope()); !errors.Is(err, authring.ErrCannotNarrow) {
		t.Errorf("no scope was asked for: %v", err)
	}
	if _, err := s.Token(t.Context(), authring.MinValid(99*time.Hour)); !errors.Is(err, authring.ErrValidityTooLong) {
		t.Errorf("too long a validity was asked for: %v", err)
	}
	a.Stop()
	_ = a.wait(t)
	if token, err := s.Token(t.Context()); err != nil || token.AccessToken.IsZero() {
		t.Errorf("without the agent, with a token in memory: %v", err)
	}
	if token, err := session(w).Token(t.Context()); err != nil || token.AccessToken.Equal(first.AccessToken) {
		t.Errorf("without the agent: %v", err)
	}
	if _, err := session(unplugged{}).Token(t.Context()); !errors.Is(err, authring.ErrConnectionFailed) {
		t.Errorf("without agent and network: %v", err)
	}
}

// unplugged is a machine without a network.
type unplugged struct{}

func (unplugged) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("the network is unplugged")
}

// What the agent has is the token of another provider, whose hosts alone may see
// it: the link was made anew with that one since the session was opened.
func TestSessionOfAnotherProvider(t *testing.T) {
	w := newWorld(t)
	w.link(t, "work")
	a := w.start(t)
	t.Setenv("HOME", t.TempDir())
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "AppData", "LocalAppData"} {
		t.Setenv(name, t.TempDir())
	}
	t.Setenv(agentclient.Variable, a.path)
	elsewhere := &provider.Provider{
		Name: "elsewhere", Title: "Elsewhere", ClientID: "x",
		AuthURL: "https://login.example.org/authorize", TokenURL: "https://login.example.org/token", Hosts: []string{"api.example.org"},
	}
	s, err := authring.Open("work", authring.WithAgent(), authring.WithProvider(elsewhere),
		authring.WithTransport(unplugged{}), authring.WithKeyrings(w.memory))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Token(t.Context()); !errors.Is(err, authring.ErrNotLinked) {
		t.Errorf("Token = %v, want that nothing is linked with this provider", err)
	}
	if reply := a.mustToken(t, agentclient.Request{Config: "work"}); reply.Provider != "dropbox" {
		t.Errorf("the token is said to be one of %q", reply.Provider)
	}
}
