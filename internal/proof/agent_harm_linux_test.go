package proof_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/agentclient"
)

// hangEach is how many connections one process leaves hanging.
const hangEach = 1000

func unixTransport(socket string) *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", socket)
	}}
}

// resident is how much memory of the agent is in use, in bytes.
func (h *house) resident() int {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(h.agent.Process.Pid), "status"))
	if err != nil {
		h.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	var kilobytes int
	if _, err := fmt.Sscan(after, &kilobytes); err != nil {
		h.t.Fatal(err)
	}
	return kilobytes << 10
}

// Ten processes open a thousand connections each and leave them hanging: the
// agent goes on to serve, in bounded memory.
func TestTenThousandConnectionsHang(t *testing.T) {
	const processes, most = 10, 64 << 20
	h := newHouse(t)
	h.start()
	token := h.mustAsk().AccessToken
	before := h.resident()
	open := make(chan error, processes)
	var inputs []io.Closer
	for range processes {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), hangAt+"="+h.socket)
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		inputs = append(inputs, in)
		go func() {
			line, err := bufio.NewReader(out).ReadString('\n')
			if err == nil && line != "open\n" {
				err = fmt.Errorf("it said %q", line)
			}
			open <- err
		}()
	}
	// Meanwhile the tool has a token for whoever asks, by the agent or, if
	// that has no room, without it.
	for opened, late := 0, time.After(2*time.Minute); opened < processes; {
		select {
		case err := <-open:
			if err != nil {
				t.Fatalf("a process could not open its connections: %v", err)
			}
			opened++
		case <-late:
			t.Fatal("the connections are not let in")
		default:
			if got := strings.TrimSpace(h.must("", "token")); !h.valid(got) {
				t.Fatal("while connections are opened: a token that is not valid")
			}
		}
	}
	// And with all of them open, the agent itself has.
	for range 200 {
		if got := h.mustAsk().AccessToken; got != token {
			t.Fatal("with all connections open: another token")
		}
	}
	body, err := agentclient.Call(t.Context(), h.socket, "GET", "/v1/status", "")
	if err != nil {
		t.Fatal(err)
	}
	var status struct{ Connections int }
	if err := json.Unmarshal(body, &status); err != nil {
		t.Fatal(err)
	}
	if status.Connections > 300 {
		t.Errorf("the agent holds %d connections", status.Connections)
	}
	after := h.resident()
	if after-before > most {
		t.Errorf("the agent has %d MB in use, and had %d", after>>20, before>>20)
	}
	t.Logf("%d connections were left hanging, %d of them are held; %d MB are in use, before %d", processes*hangEach, status.Connections, after>>20, before>>20)
	for _, in := range inputs {
		_ = in.Close()
	}
	if h.mustAsk().AccessToken != token {
		t.Error("when the connections are gone: another token")
	}
}

// The agent is killed while sixty-four processes wait for its answer: each then
// has a token, or says what is wrong.
func TestAgentIsKilled(t *testing.T) {
	const clients = 64
	h := newHouse(t)
	h.start()
	h.dropbox.SetFault("refresh:hang")
	first := h.tokens(clients, "authring", "token")
	late := time.After(bound)
	for busy := 0; busy < clients; {
		body, err := agentclient.Call(t.Context(), h.socket, "GET", "/v1/status", "")
		var status struct{ Busy int }
		if err == nil {
			err = json.Unmarshal(body, &status)
		}
		if err != nil {
			t.Fatal(err)
		}
		busy = status.Busy - 1 // this request
		select {
		case o := <-first:
			t.Fatalf("a process did not wait: %v", o.err)
		case <-late:
			t.Fatalf("%d of %d processes wait for the agent", busy, clients)
		default:
		}
	}
	h.dropbox.ClearFaults()
	h.kill()
	for range clients {
		if o := await(t, first); o.err != nil || !h.valid(o.token) {
			t.Errorf("the agent was killed: %.8q, %v", o.token, o.err)
		}
	}

	// Without a network there is no token, and that is said.
	if _, err := h.run("", "agent", "stop"); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.dropbox.ResetRequests()
	h.dropbox.SetFault("refresh:hang")
	second := h.tokens(1, "authring", "token")
	for h.refreshes() == 0 {
		select {
		case <-late:
			t.Fatal("Dropbox is not asked")
		default:
		}
	}
	h.dropbox.SetFault("refresh:unavailable")
	h.kill()
	if o := await(t, second); o.err == nil || o.token != "" || !strings.Contains(o.err.Error(), "exit status 2: authring: could not get an access token") {
		t.Errorf("the agent was killed, and Dropbox gives no answer: %q, %v", o.token, o.err)
	}
}
