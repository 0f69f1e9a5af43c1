package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/needs"
)

// withAgent lets the person's programs use an agent, which ends with the test.
func (p *person) withAgent(runtime string) (socket string) {
	p.t.Helper()
	p.env = append(p.env, "AUTHRING_AGENT=")
	p.t.Cleanup(func() { p.call("", "agent", "stop") })
	return filepath.Join(runtime, "authring", "agent.sock")
}

// agentPID is the process of the agent.
func (p *person) agentPID() int {
	p.t.Helper()
	out, _ := p.want(0, "", "agent", "status", "--json")
	var status struct{ PID int }
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		p.t.Fatal(err)
	}
	return status.PID
}

// fresh asks the agent for a token that it does not have.
func fresh(t *testing.T, socket string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	reply, err := agentclient.Token(ctx, socket, agentclient.Request{Config: "default", Fresh: true})
	return reply.AccessToken, err
}

// One agent lives through restarts of the keyring and of the whole bus.
func TestAgentOutlivesKeyringAndBus(t *testing.T) {
	p, desk := onDesk(t)
	gnome := daemontest.StartGNOME(t, desk)
	p.link()
	socket := p.withAgent(desk.Runtime)
	first, _ := p.want(0, "", "token")
	pid := p.agentPID()

	check := func(when string) {
		t.Helper()
		deadline := time.Now().Add(bound)
		for {
			// A daemon that takes its name is not yet one that answers.
			token, err := fresh(t, socket)
			if err == nil && token+"\n" != first {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %v", when, err)
			}
		}
		if out, _ := p.want(0, "", "token"); out == first {
			t.Errorf("%s: the token is the first one", when)
		}
		if now := p.agentPID(); now != pid {
			t.Errorf("%s: the agent is process %d, and was %d", when, now, pid)
		}
	}
	check("at first")

	gnome.Stop(t)
	if _, err := fresh(t, socket); err != nil {
		t.Errorf("without the keyring, which was read before: %v", err)
	}
	gnome.StartUnlocked(t)
	check("with the keyring restarted")

	gnome.Stop(t)
	desk.RestartBus(t)
	daemontest.StartGNOME(t, desk)
	check("with another bus")
	// The agent reads the new keyring, not what it remembers.
	p.want(0, "", "status")
	p.env = append(p.env, "AUTHRING_AGENT=off")
	p.link("--relink")
	p.env = append(p.env, "AUTHRING_AGENT=")
	check("with another bus, linked anew")
}

// The units that are shipped are understood by systemd, and the agent takes the
// socket that systemd passes.
func TestSystemdUnits(t *testing.T) {
	needs.Programs(t, "systemd-analyze", "systemd-socket-activate")
	p := newPerson(t)
	p.link("--allow-plaintext")
	program, err := exec.LookPath("authring")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var command []string
	for _, name := range []string{"authring-agent.socket", "authring-agent.service"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", "systemd", "user", name))
		if err != nil {
			t.Fatal(err)
		}
		here := strings.ReplaceAll(string(text), "/usr/bin/authring", program)
		if err := os.WriteFile(filepath.Join(folder, name), []byte(here), 0o600); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(here) {
			if run, ok := strings.CutPrefix(line, "ExecStart="); ok {
				command = strings.Fields(run)
			}
		}
	}
	verify := exec.Command("systemd-analyze", "--user", "--man=no", "verify", filepath.Join(folder, "authring-agent.socket"), filepath.Join(folder, "authring-agent.service"))
	verify.Env = p.env
	if out, err := verify.CombinedOutput(); err != nil || strings.Contains(string(out), folder) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}

	socket := p.withAgent(p.home)
	if err := os.Mkdir(filepath.Dir(socket), 0o700); err != nil {
		t.Fatal(err)
	}
	args := []string{"--listen=" + socket}
	for _, variable := range p.env {
		args = append(args, "--setenv="+variable)
	}
	activate := exec.Command("systemd-socket-activate", append(args, command...)...)
	activate.Env, activate.Dir = p.env, p.home
	if err := activate.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- activate.Wait() }()
	t.Cleanup(func() { _ = activate.Process.Kill() })
	// The program that stands in for systemd knows no mode: others can read its
	// socket, in a folder that is closed to them.
	for deadline := time.Now().Add(bound); ; {
		if _, err := os.Lstat(socket); err == nil {
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("systemd-socket-activate ended: %v", err)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("systemd-socket-activate makes no socket")
		}
	}
	first, _ := p.want(0, "", "token")
	if again, _ := p.want(0, "", "token"); again != first {
		t.Error("the second token is not that of the agent")
	}
	if pid := p.agentPID(); pid != activate.Process.Pid {
		t.Errorf("process %d answers, and systemd started %d", pid, activate.Process.Pid)
	}
	p.want(0, "", "agent", "stop")
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the agent ended with %v", err)
		}
	case <-time.After(bound):
		t.Fatal("the agent does not end")
	}
	if _, err := os.Lstat(socket); err != nil {
		t.Errorf("the agent removed the socket, which is systemd's: %v", err)
	}
}

// An agent that is started on demand holds nothing that its starter was given:
// neither a pipe that somebody reads to its end, nor the lock of a script.
func TestAgentHoldsNothingOfItsStarter(t *testing.T) {
	p := newPerson(t)
	p.link("--allow-plaintext")
	p.withAgent(p.home)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	cmd := exec.Command("authring", "token")
	cmd.Env, cmd.Dir, cmd.ExtraFiles = p.env, p.home, []*os.File{write}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_ = write.Close()
	p.agentPID() // it was started, and runs
	if err := read.SetReadDeadline(time.Now().Add(bound)); err != nil {
		t.Fatal(err)
	}
	if n, err := read.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the other end of the pipe is open still: %d, %v", n, err)
	}
}
