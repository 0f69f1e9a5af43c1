package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
	"github.com/authring/authring/agent"
	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/internal/child"
	"github.com/authring/authring/internal/harden"
)

type agentOptions struct {
	onDemand bool
	inetd    bool
	idle     time.Duration
}

// agentIdle is how long after the last request an agent ends.
const agentIdle = time.Hour

const agentLong = `Run the agent: it hands out access tokens to all programs of this user, over a
Unix socket, and the refresh token to none. It keeps access tokens in memory
only, renews them before they expire for as long as somebody asks, and asks
nobody anything.

authring token starts one when it needs one, so that this command is for those
who want to start it themselves. It stays in the foreground until it was idle
for long enough, or is told to end. A listening socket that systemd passes
(LISTEN_FDS) is used instead of one of its own; with --inetd, the one on
standard input, as launchd passes it.

authring agent status tells of the agent that runs, and authring agent stop
ends it.

The environment variable AUTHRING_AGENT=off, and --no-agent, do without one.`

const agentExample = `  authring agent --idle 8h
  authring agent status
  curl --unix-socket "$XDG_RUNTIME_DIR/authring/agent.sock" 'http://authring/v1/token?config=work'`

func (p *program) agentCommand() *cobra.Command {
	opts := agentOptions{idle: agentIdle}
	cmd := p.newCommand(&cobra.Command{
		Use:       "agent [stop|status] [options]",
		Short:     "Hand out access tokens to all programs of this user",
		ValidArgs: []cobra.Completion{"stop", "status"},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] != "stop" && args[0] != "status" {
				return usage("agent", "agent takes the words stop and status only")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return p.runAgent(cmd.Context(), opts)
			case opts != (agentOptions{idle: agentIdle}):
				return usage("agent", "--idle, --inetd and --on-demand are for the agent itself, not for %s", args[0])
			case args[0] == "stop":
				return p.stopAgent(cmd.Context())
			default:
				return p.agentStatus(cmd.Context())
			}
		},
	}, page{
		long: agentLong, example: agentExample,
		exits: []int{exitOK, exitUsage, exitNoAgent, exitInternal, exitInterrupted},
	})
	cmd.Flags().DurationVar(&opts.idle, "idle", opts.idle, "end this `TIME` after the last request; 0 for never")
	cmd.Flags().BoolVar(&opts.onDemand, "on-demand", false, "say nothing, and end at once if an agent runs already")
	cmd.Flags().BoolVar(&opts.inetd, "inetd", false, "standard input is the listening socket")
	return cmd
}

func (p *program) runAgent(ctx context.Context, opts agentOptions) error {
	if opts.idle < 0 {
		return usage("agent", "--idle cannot be less than nothing")
	}
	config, err := p.agentConfig()
	if err != nil {
		return err
	}
	config.Idle = opts.idle
	// Before there is anything to read in its memory.
	p.logger().Debug("hardened", "done", harden.Server().String())
	keeper := p.gatekeeper()
	defer func() { _ = keeper.Close() }()
	config.Authorize, config.Audit = keeper.authorize, keeper.audit
	listener, where, err := p.agentSocket(ctx, opts)
	if errors.Is(err, agent.ErrRunning) {
		if opts.onDemand {
			return nil
		}
		return &failure{err: err, message: "an agent is running already", hint: "See: authring agent status\nTo end it: authring agent stop"}
	}
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	child.Sweep(p.getenv) // a token that a killed exec has left is nobody's any more
	tidy := newTidy()
	defer tidy.Stop()
	open := config.Open
	var opened atomic.Int64
	config.Open = func(app, link string) (*authring.Session, error) {
		tidy.Reset(tidyAfter)
		if opened.Add(1) == manyLinks {
			debug.SetGCPercent(manyGC)
		}
		return open(app, link)
	}
	a, err := agent.New(config)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	if !opts.onDemand {
		p.say("Handing out access tokens at %s", printable(where))
	}
	err = a.Serve(ctx, listener)
	if ctx.Err() != nil {
		return nil // told to end, which it did
	}
	return err
}

// An agent that has opened many links has much in use, and may have less garbage
// beside it, in percent, than is usual: it lies there for hours. With still less
// it would collect so often that answers have to wait for that.
const (
	manyLinks = 250
	manyGC    = 70
)

// tidyAfter is how long after a link was opened the agent gives memory back.
const tidyAfter = 5 * time.Second

// newTidy is a timer, not yet set, that gives the system back what opening links
// took and needs no more: the agent lies there for hours.
func newTidy() *time.Timer {
	t := time.AfterFunc(time.Hour, debug.FreeOSMemory)
	t.Stop()
	return t
}

// agentSocket is the socket that was passed to this process, or one of its own.
func (p *program) agentSocket(ctx context.Context, opts agentOptions) (net.Listener, string, error) {
	listener, err := passedSocket(opts.inetd, p.getenv)
	if err != nil {
		return nil, "", &failure{err: err, message: fmt.Sprintf("the socket that was passed cannot be used: %v", err)}
	}
	if listener != nil {
		return listener, listener.Addr().String(), nil
	}
	path, err := agentclient.SocketPath(p.getenv)
	if err != nil {
		return nil, "", err
	}
	listening, err := agent.Listen(ctx, path)
	return listening, path, err
}

// agentConfig is how every agent of this tool opens links and words errors.
func (p *program) agentConfig() (agent.Config, error) {
	p.noInput = true // it has nobody to ask, and its clients do
	p.inCodeShared = &sync.Map{}
	realm, err := agentclient.Realm(p.getenv)
	if err != nil {
		return agent.Config{}, err
	}
	return agent.Config{
		Realm: realm, Version: buildVersion(), Logger: p.logger(),
		Open: func(app, config string) (*authring.Session, error) {
			return p.forLink(app, config).open(config)
		},
		Described: func(app, config string) string { return p.forLink(app, config).describedBy(config) },
		KeepAlive: p.linksToKeep,
		Explain: func(err error, link agent.Link) (message, hint string) {
			q := p.forLink(link.App, link.Config)
			return printableLines(q.messageOf(err)), printableLines(q.hintOf(err))
		},
	}, nil
}

// forLink is the program as if it was run for a link, by somebody who cannot be
// asked.
func (p *program) forLink(app, config string) *program {
	q := *p
	q.app, q.config, q.configAsked, q.noInput, q.opened = app, config, true, true, &opened{}
	return &q
}

// agentBound is how long an agent may take for an answer that it has at hand.
const agentBound = 3 * time.Second

// callAgent asks the agent for what is no token.
func (p *program) callAgent(ctx context.Context, method, target string) ([]byte, error) {
	address, err := p.agentAddress()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, agentBound, &failure{
		err: agentclient.ErrFailed, message: agentclient.ErrFailed.Error(), hint: "It may hang. Try again, or end its process.",
	})
	defer cancel()
	// Without the realm: any agent at the socket is meant.
	return agentclient.Call(ctx, address.Path, method, target, "")
}

func (p *program) stopAgent(ctx context.Context) error {
	_, err := p.callAgent(ctx, "POST", "/v1/stop")
	switch {
	case errors.Is(err, agentclient.ErrOff), errors.Is(err, agentclient.ErrVariable):
		return err // there may be one all the same
	case errors.Is(err, agentclient.ErrNoAgent):
		p.say("No agent is running.")
	case err != nil:
		return err
	default:
		p.done("The agent ends")
	}
	if p.json {
		return p.printJSON(map[string]bool{"stopped": err == nil})
	}
	return nil
}

func (p *program) agentStatus(ctx context.Context) error {
	body, err := p.callAgent(ctx, "GET", "/v1/status")
	if err != nil {
		return err
	}
	var status agent.Status
	if err := json.Unmarshal(body, &status); err != nil {
		return fmt.Errorf("could not understand the agent: %w", err)
	}
	if p.json {
		return p.printJSON(status)
	}
	end := "does not end by itself"
	if status.IdleEnd != nil {
		end = "ends at " + printable(*status.IdleEnd) + " if nobody asks"
		if at, err := time.Parse(time.RFC3339, *status.IdleEnd); err == nil {
			end = "ends at " + at.Local().Format("15:04") + " if nobody asks"
		}
	}
	fmt.Fprintf(p.stdout, "agent %s, process %d, up for %v: %s, %s in memory; %s\n", printable(status.Version), status.PID,
		time.Duration(status.Uptime)*time.Second, count(status.Requests, "request"), count(int64(status.Links), "link"), end)
	return nil
}

// count is a number of things.
func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// changing is a verb that changes links. An agent is told to drop what it holds
// of them: it sees that by itself before it answers the next time, and until
// then the access token would stay in memory.
func (p *program) changing(command func() *cobra.Command) func() *cobra.Command {
	return func() *cobra.Command {
		cmd := command()
		run := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			defer p.forgetInAgent(cmd.Context())
			return run(cmd, args)
		}
		return cmd
	}
}

func (p *program) forgetInAgent(ctx context.Context) {
	address, err := agentclient.Locate(p.getenv)
	if err != nil || address.Named {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), agentBound)
	defer cancel()
	// All of them: an import changes several, and they cost a refresh each.
	_, err = agentclient.Call(ctx, address.Path, "POST", "/v1/forget", address.Realm)
	if err != nil && p.verbose {
		p.logger().Debug("no agent was told", "error", err)
	}
}
