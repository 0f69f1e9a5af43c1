package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/record"
)

// agentAddress is where the agent is, for those who need one.
func (p *program) agentAddress() (agentclient.Address, error) {
	address, err := agentclient.Locate(p.getenv)
	if err != nil {
		return address, &failure{err: errors.Join(agentclient.ErrNoAgent, err), message: "no agent can be used: " + err.Error()}
	}
	return address, nil
}

// tokenFromAgent prints a token of the agent, which is started if none runs. It
// reports whether it did, or failed for good; if not, the run goes on without
// an agent.
func (p *program) tokenFromAgent(cmd *cobra.Command, opts tokenOptions) (done bool, err error) {
	ctx := cmd.Context()
	address, err := agentclient.Locate(p.getenv)
	if errors.Is(err, agentclient.ErrVariable) {
		return true, &failure{err: &usageError{}, message: err.Error(), hint: "Set it to off or to the path of a socket, or unset it."}
	}
	if err != nil {
		p.logger().Debug("without an agent", "error", err)
		return false, nil
	}
	ask := agentclient.Request{Config: p.config, App: p.app, Realm: address.Realm}
	if address.Named {
		// The socket may be that of one link, as within authring exec; what
		// was not asked for is its to choose.
		if !p.configAsked {
			ask.Config = ""
		}
		if !cmd.Flags().Changed("app") {
			ask.App = ""
		}
	}
	if cmd.Flags().Changed("min-valid") {
		ask.MinValid = opts.minValid
	}
	if cmd.Flags().Changed("scope") {
		// What is no scope is told of by the library, and must not become
		// two of them, or none, which means all.
		if ask.Scope = strings.Join(opts.scope, " "); len(strings.Fields(ask.Scope)) != len(opts.scope) || ask.Scope == "" {
			return false, nil
		}
	}
	waited := p.waitingForAgent()
	reply, err := agentclient.Token(ctx, address.Path, ask)
	if errors.Is(err, agentclient.ErrNoAgent) && !address.Named && p.linked() {
		if err = startAgent(ctx, address.Path); err == nil {
			reply, err = agentclient.Token(ctx, address.Path, ask)
		} else {
			err = errors.Join(agentclient.ErrNoAgent, err)
		}
	}
	waited()
	switch {
	case err == nil:
		object := tokenObject{
			AccessToken: reply.AccessToken, TokenType: reply.TokenType, Scope: reply.Scope,
			Config: reply.Config, AccountID: reply.AccountID,
		}
		if !reply.ExpiresAt.IsZero() {
			at := reply.ExpiresAt.UTC().Format(time.RFC3339)
			object.ExpiresAt = &at
		}
		err = p.printToken(object, opts)
		p.retryPending(ctx)
		return true, err
	case agentclient.Fallback(err) && ask.Config == "":
		// Without it, the link would be the default one, and another perhaps
		// than that of the socket.
		return true, err
	case agentclient.Fallback(err):
		p.logger().Debug("without the agent", "error", err)
		return false, nil
	default:
		return true, err
	}
}

// linkOfSocket makes the one link of a socket, as within authring exec --socket,
// that of a run which names none. What else is at the socket changes nothing, and
// is told when a token is asked for.
func (p *program) linkOfSocket(cmd *cobra.Command) {
	address, err := agentclient.Locate(p.getenv)
	if err != nil || !address.Named || p.configAsked || cmd.Flags().Changed("app") {
		return
	}
	body, err := p.callAgent(cmd.Context(), "GET", "/v1/")
	var hello struct {
		Only *struct{ Config, App string } `json:"only"`
	}
	if err == nil && json.Unmarshal(body, &hello) == nil && hello.Only != nil {
		p.config, p.app = hello.Only.Config, hello.Only.App
	}
}

// waitNotice is how long an agent may take before the user is told: it gives
// what it has at once.
const waitNotice = 400 * time.Millisecond

// waitingForAgent tells the user that the agent is waited for, should that take
// long: it may have to be started, or be waiting for the provider.
func (p *program) waitingForAgent() (done func()) {
	if !p.stderr.terminal {
		return func() {}
	}
	var mu sync.Mutex
	ended := false
	timer := time.AfterFunc(waitNotice, func() {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			p.say("%s", p.stderr.paint(dim, "Waiting for the agent (it may be asking "+p.providerTitle()+", or you)…"))
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		timer.Stop()
	}
}

// linked reports whether there is anything that an agent could be asked for.
func (p *program) linked() bool {
	layout, err := record.NewLayout(p.app)
	if err != nil {
		return false
	}
	rec, err := layout.Load(p.config)
	return err == nil && !rec.Empty()
}

const (
	// startBound is how long an agent may take to start.
	startBound = 10 * time.Second
	// startPause is between two looks whether it is there.
	startPause = 2 * time.Millisecond
	// waitPause is, about, between two looks of those who wait for the one that
	// starts it, of whom there may be hundreds.
	waitPause = 20 * time.Millisecond
)

// startAgent starts an agent in the background, and returns once it listens. Of
// several processes one starts it, the others wait for that.
func startAgent(ctx context.Context, path string) error {
	folder := filepath.Dir(path)
	if _, err := os.Stat(filepath.Dir(folder)); err != nil {
		return err // the session's folder is not ours to make
	}
	ctx, cancel := context.WithTimeout(ctx, startBound)
	defer cancel()
	lock, err := beStarter(ctx, path)
	if lock == nil || err != nil {
		return err
	}
	defer func() { _ = lock.Release() }()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(program, "agent", "--on-demand")
	cmd.Dir = restingFolder()
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !listens(ctx, path) {
		select {
		case <-time.After(startPause):
		case <-ended:
			return errors.New("the agent that was started has ended")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// beStarter takes the lock of the process that starts the agent. There is none,
// and no error, once an agent listens: those who wait do not have to take turns
// to see that.
func beStarter(ctx context.Context, path string) (*filelock.Lock, error) {
	for {
		lock, err := filelock.Try(filepath.Join(filepath.Dir(path), "start.lock"))
		if err != nil {
			return nil, err
		}
		// With the lock, too: the starter before may have done it meanwhile.
		if listens(ctx, path) {
			if lock != nil {
				err = lock.Release()
			}
			return nil, err
		}
		if lock != nil {
			return lock, nil
		}
		select {
		case <-time.After(waitPause/2 + rand.N(waitPause)):
		case <-ctx.Done():
			return nil, fmt.Errorf("another process starts the agent: %w", ctx.Err())
		}
	}
}

func listens(ctx context.Context, path string) bool {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
