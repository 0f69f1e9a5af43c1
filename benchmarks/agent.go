package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/keyring/plaintext"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

// manyLinks is how many links the agent holds at most.
const manyLinks = 1000

// agentResults are what was found out about the agent.
type agentResults struct {
	contenders []contender
	samples    map[string][]sample
	loads      []loadResult

	// Bytes in use: with no link, with many that were just opened, and a
	// moment later.
	idle, opened, full int64
}

// measureAgent starts agents and measures them: what a program waits for a
// token of theirs, how they bear many clients, and what they weigh.
func (r *results) measureAgent(ctx context.Context, h *host, built programs, opts options) error {
	a := &agentResults{}
	r.agent = a
	say("measuring whole processes that get a token of an agent")
	if err := a.compareTokens(ctx, h, built, opts); err != nil {
		return err
	}
	return a.burden(ctx, h, built)
}

// compareTokens runs the programs in turns, as for the reads.
func (a *agentResults) compareTokens(ctx context.Context, h *host, built programs, opts options) error {
	server := dropboxtest.NewServer()
	h.Cleanup(server.Close)
	desk := daemontest.NewDesk(h)
	if err := writeKeyring(desk, withOthers(keyringHead, otherItems[0])); err != nil {
		return err
	}
	daemontest.StartEmptyGNOME(h, desk)
	v, err := openVault(ctx, h, desk)
	if err != nil {
		return err
	}
	linked, err := link(ctx, desk, built.authring, server)
	if err != nil {
		return err
	}
	env := desk.Environ("AUTHRING_AGENT=", "AUTHRING_DROPBOX_URL="+server.URL)
	if _, err := startAgent(h, desk, built.authring, env); err != nil {
		return err
	}
	gh, err := loginGH(desk)
	if err != nil {
		return err
	}
	env = append(env, gh...)
	oidc, err := startOIDC(ctx, h, desk)
	if err != nil {
		return err
	}
	env = append(env, oidc...)
	a.contenders = tokenContenders(built, linked)
	for _, c := range a.contenders {
		if c.kind == floor {
			continue
		}
		cmd := exec.CommandContext(ctx, c.command[0], c.command[1:]...)
		cmd.Env = env
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("%s got no token: %w", c.name, explain(err))
		}
		if len(strings.TrimSpace(string(out))) < 8 {
			return fmt.Errorf("%s printed no token", c.name)
		}
	}
	b := &bench{launcher: built.launcher, env: env, daemon: v.pid, warmups: opts.warmups, rounds: opts.rounds}
	a.samples, err = b.compare(ctx, a.contenders)
	return err
}

// runningAgent is one of ours.
type runningAgent struct {
	pid    int
	socket string
}

// startAgent starts our agent on a desk; it ends with the run.
func startAgent(h *host, d *daemontest.Desk, authring string, env []string) (runningAgent, error) {
	cmd := exec.Command(authring, "agent")
	cmd.Env = env
	if err := cmd.Start(); err != nil {
		return runningAgent{}, err
	}
	h.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	a := runningAgent{cmd.Process.Pid, filepath.Join(d.Runtime, "authring", "agent.sock")}
	return a, awaitSocket(a.socket)
}

// quiet is more than the agent waits until it gives memory back.
const quiet = 8 * time.Second

// socketBound is how long an agent may take to start.
const socketBound = 10 * time.Second

func awaitSocket(path string) error {
	for deadline := time.Now().Add(socketBound); ; time.Sleep(time.Millisecond) {
		c, err := net.Dial("unix", path)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the agent does not start: %w", err)
		}
	}
}

// burden measures an agent under load, and with many links.
func (a *agentResults) burden(ctx context.Context, h *host, built programs) error {
	server := dropboxtest.NewServer(dropboxtest.WithAutoApprove())
	h.Cleanup(server.Close)
	desk := daemontest.NewDesk(h)
	say("linking %s accounts", thousands(manyLinks))
	for n := range manyLinks {
		if err := linkPlain(ctx, desk, server, linkName(n)); err != nil {
			return err
		}
	}
	agent, err := startAgent(h, desk, built.authring, desk.Environ("AUTHRING_AGENT=", "AUTHRING_DROPBOX_URL="+server.URL))
	if err != nil {
		return err
	}
	if a.idle, err = resident(agent.pid); err != nil {
		return err
	}
	for n := range manyLinks {
		// Twice: a token that is asked for again has a timer besides.
		for range 2 {
			if _, err := agentclient.Token(ctx, agent.socket, agentclient.Request{Config: linkName(n)}); err != nil {
				return fmt.Errorf("link %d: %w", n, err)
			}
		}
	}
	if a.opened, err = resident(agent.pid); err != nil {
		return err
	}
	time.Sleep(quiet)
	if a.full, err = resident(agent.pid); err != nil {
		return err
	}
	for _, l := range loads {
		say("measuring %s", l.name)
		result, err := l.run(ctx, agent)
		if err != nil {
			return err
		}
		a.loads = append(a.loads, result)
	}
	return nil
}

func linkName(n int) string { return fmt.Sprintf("link-%d", n) }

// linkPlain makes one of many links, in plain text: a thousand secrets in a
// daemon would be the daemon's time. The agent opens them all the same.
func linkPlain(ctx context.Context, d *daemontest.Desk, server *dropboxtest.Server, config string) error {
	layout, err := record.LayoutIn("authring", filepath.Join(d.Home, ".config", "authring"), filepath.Join(d.Home, ".local", "state", "authring"))
	if err != nil {
		return err
	}
	p, err := provider.DropboxAt(server.URL)
	if err != nil {
		return err
	}
	file := plaintext.New(plaintext.WithPath(filepath.Join(d.Home, ".local", "share", "python_keyring", "keyring_pass.cfg")))
	s, err := authring.Open(config, authring.WithLayout(layout), authring.WithProvider(p), authring.WithKeyrings(file),
		authring.WithPlaintextConsent(func(context.Context, authring.PlaintextRequest) (bool, error) { return true, nil }))
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	code, err := server.Approve(s.AuthURL())
	if err == nil {
		err = s.VerifyAuthToken(ctx, code)
	}
	if err == nil {
		_, err = s.SaveCreds(ctx)
	}
	if err != nil {
		return fmt.Errorf("could not link %s: %w", config, err)
	}
	return nil
}

// resident is how many bytes of memory a process has in use.
func resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	var kilobytes int64
	if _, err := fmt.Sscan(after, &kilobytes); err != nil {
		return 0, fmt.Errorf("could not read how much memory process %d has: %w", pid, err)
	}
	return kilobytes * 1024, nil
}
