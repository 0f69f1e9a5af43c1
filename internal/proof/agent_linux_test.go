package proof_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/agentclient"
)

// bound is how long a test of the agent waits for what should come at once.
const bound = time.Minute

// The tool, and the small program beside it, as they are installed.
var tools = sync.OnceValues(func() (string, error) {
	tool, err := buildProgram("authring", "../../cmd/authring")
	if err == nil {
		err = os.Rename(tool, filepath.Join(programs, "authring"))
	}
	if err == nil {
		tool, err = buildProgram("authring-token", "../../cmd/authring-token")
	}
	if err == nil {
		err = os.Rename(tool, filepath.Join(programs, "authring-token"))
	}
	return programs, err
})

// house is a user who has a link, and the agent as a process.
type house struct {
	t       *testing.T
	dropbox *dropboxtest.Dropbox
	dir     string // with the programs
	environ []string
	socket  string
	agent   *exec.Cmd

	// briefly: access tokens live for two seconds.
	briefly atomic.Bool
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, dropbox: dropboxtest.New(), dir: program(t, tools)}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	// The path of a socket has to be short.
	dir, err := os.MkdirTemp("", "proof")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	h.environ = home{dir}.environ("AUTHRING_AGENT=", "AUTHRING_DROPBOX_URL="+server.URL)
	h.socket = filepath.Join(dir, "authring", "agent.sock")
	var begun struct {
		AuthURL string `json:"auth_url"`
	}
	if err := json.Unmarshal([]byte(h.must("", "link", "--begin", "--json", "--allow-plaintext")), &begun); err != nil {
		t.Fatal(err)
	}
	code, err := h.dropbox.Approve(begun.AuthURL)
	if err != nil {
		t.Fatal(err)
	}
	h.must(code+"\n", "link", "--finish", "--allow-plaintext")
	t.Cleanup(func() { _, _ = h.run("", "agent", "stop") })
	return h
}

// ServeHTTP is Dropbox, whose access tokens may live briefly.
func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/oauth2/token" || !h.briefly.Load() {
		h.dropbox.ServeHTTP(w, r)
		return
	}
	recorder := httptest.NewRecorder()
	h.dropbox.ServeHTTP(recorder, r)
	body := map[string]any{}
	if json.Unmarshal(recorder.Body.Bytes(), &body) == nil && body["expires_in"] != nil {
		body["expires_in"] = 2
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(recorder.Code)
	_ = json.NewEncoder(w).Encode(body)
}

func (h *house) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(h.dir, name), args...)
	cmd.Env = h.environ
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

func (h *house) run(stdin string, args ...string) (string, error) {
	cmd := h.command("authring", args...)
	cmd.Stdin = strings.NewReader(stdin)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("authring %s: %w: %s", strings.Join(args, " "), err, complaint.String())
	}
	return string(out), err
}

func (h *house) must(stdin string, args ...string) string {
	h.t.Helper()
	out, err := h.run(stdin, args...)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// start starts the agent, and returns once it answers.
func (h *house) start() {
	h.t.Helper()
	h.agent = h.command("authring", "agent")
	said := &tally{}
	h.agent.Stderr = said
	if err := h.agent.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { h.kill() })
	for deadline := time.Now().Add(bound); !strings.Contains(said.String(), "Handing out"); {
		if time.Now().After(deadline) {
			h.t.Fatalf("the agent does not start: %s", said)
		}
	}
}

// kill ends the agent at once, as the system does for want of memory.
func (h *house) kill() {
	_ = h.agent.Process.Kill()
	_ = h.agent.Wait()
}

// ask asks the agent, and nobody else.
func (h *house) ask(r agentclient.Request) (agentclient.Reply, error) {
	r.Config = "default"
	return agentclient.Token(h.t.Context(), h.socket, r)
}

func (h *house) mustAsk() agentclient.Reply {
	h.t.Helper()
	reply, err := h.ask(agentclient.Request{})
	if err != nil {
		h.t.Fatal(err)
	}
	return reply
}

// refreshes counts those that Dropbox was asked for.
func (h *house) refreshes() (n int) {
	for _, r := range h.dropbox.Requests() {
		if r.GrantType == "refresh_token" {
			n++
		}
	}
	return n
}

// valid reports whether Dropbox takes an access token.
func (h *house) valid(token string) bool {
	r := httptest.NewRequest("POST", "http://api.dropboxapi.com/2/check/user", strings.NewReader(`{"query":"x"}`))
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	h.dropbox.ServeHTTP(recorder, r)
	return recorder.Code == http.StatusOK
}

// outcome is what a process ended with.
type outcome struct {
	token string
	err   error
}

// tokens runs n processes of a program that print a token, all at once.
func (h *house) tokens(n int, name string, args ...string) <-chan outcome {
	outcomes := make(chan outcome, n)
	for range n {
		go func() {
			cmd := h.command(name, args...)
			var out, complaint bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &complaint
			err := cmd.Run()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, complaint.String())
			}
			outcomes <- outcome{strings.TrimSpace(out.String()), err}
		}()
	}
	return outcomes
}

// await returns the next outcome.
func await(t *testing.T, outcomes <-chan outcome) outcome {
	t.Helper()
	select {
	case o := <-outcomes:
		return o
	case <-time.After(2 * time.Minute):
		t.Fatal("a process does not end")
		return outcome{}
	}
}

// Sixty-four clients at once, some of which keep their connection: each request
// is answered, and with the token that is in memory. ./bench has the times.
func TestAgentUnderLoad(t *testing.T) {
	h := newHouse(t)
	h.start()
	want := h.mustAsk().AccessToken
	h.dropbox.ResetRequests()
	const clients = 64
	each := 100_000 / clients / 4
	if long() >= time.Minute {
		each = 100_000/clients + 1
	}
	var wg sync.WaitGroup
	for i := range clients {
		client := &http.Client{Transport: unixTransport(h.socket), Timeout: bound}
		wg.Go(func() {
			defer client.CloseIdleConnections()
			for range each {
				var got string
				var err error
				if i%2 == 0 {
					var reply agentclient.Reply
					reply, err = h.ask(agentclient.Request{})
					got = reply.AccessToken
				} else {
					got, err = get(client, "/v1/token?"+url.Values{"config": {"default"}}.Encode())
				}
				if err != nil || got != want {
					t.Errorf("client %d: %.8q, %v", i, got, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := h.refreshes(); n != 0 {
		t.Errorf("%d refreshes for a token that is in memory", n)
	}
	t.Logf("%d requests of %d clients", each*clients, clients)
}

// get is a request of a client that keeps its connection.
func get(client *http.Client, target string) (token string, err error) {
	resp, err := client.Get("http://authring" + target)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var reply struct {
		AccessToken string `json:"access_token"`
	}
	err = json.NewDecoder(resp.Body).Decode(&reply)
	_, _ = io.Copy(io.Discard, resp.Body)
	return reply.AccessToken, err
}

// The token in memory has expired while Dropbox could not renew it. Then five
// hundred processes ask at once.
func TestProcessesFindAnExpiredToken(t *testing.T) {
	const processes, lean = 500, 50
	h := newHouse(t)
	h.start()
	h.briefly.Store(true)
	old := h.mustAsk()
	h.dropbox.SetFault("refresh:unavailable")
	select {
	case <-time.After(time.Until(old.ExpiresAt) + time.Second): // it has no fractions
	case <-t.Context().Done():
	}
	h.dropbox.ExpireAccessTokens()
	h.dropbox.ClearFaults()
	h.briefly.Store(false)
	h.dropbox.ResetRequests()
	many, few := h.tokens(processes, "authring", "token"), h.tokens(lean, "authring-token")
	got := map[string]int{}
	for range processes {
		o := await(t, many)
		if o.err != nil {
			t.Errorf("a process got no token: %v", o.err)
		}
		got[o.token]++
	}
	for range lean {
		o := await(t, few)
		if o.err != nil {
			t.Errorf("a process of the small program got no token: %v", o.err)
		}
		got[o.token]++
	}
	if n := h.refreshes(); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	if len(got) != 1 || got[old.AccessToken] != 0 {
		t.Errorf("the processes got %d different tokens, %d of them the expired one", len(got), got[old.AccessToken])
	}
	for token := range got {
		if !h.valid(token) {
			t.Error("a process got a token that Dropbox does not take")
		}
	}
}
