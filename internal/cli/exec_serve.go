package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/agent"
	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/internal/child"
	"github.com/authring/authring/internal/proxy"
	"github.com/authring/authring/secret"
)

// execServed runs a command, and serves it until it ends.
func (p *program) execServed(ctx context.Context, opts execOptions, command child.Command, options []authring.Option) (err error) {
	folder, err := child.NewFolder(ctx, p.getenv, opts.tokenFile)
	if err != nil {
		return err
	}
	v := &services{program: p, options: options, noAgent: opts.noAgent, folder: folder.Path}
	// A signal to this process ends the command, and what it uses stays until
	// then.
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	end := func() error {
		cancel()
		for _, ended := range v.ended {
			ended()
		}
		for _, s := range v.sessions {
			_ = s.Close()
		}
		return folder.Close()
	}
	for _, service := range []struct {
		wanted   bool
		variable string
		start    func(ctx, serving context.Context) (string, error)
	}{
		{opts.socket, opts.execVariable(socketVariable), v.socket},
		{opts.proxy, opts.execVariable(proxyVariable), v.proxy},
		{opts.tokenFile, opts.execVariable(tokenFileVariable), v.tokenFile},
	} {
		if !service.wanted {
			continue
		}
		value, err := service.start(ctx, serving)
		if err != nil {
			return errors.Join(err, end())
		}
		v.set = append(v.set, service.variable+"="+value)
	}
	var drop []string
	if variable := p.tokenVariable(); variable != "" {
		drop = append(drop, variable)
	}
	command.Env = p.commandEnv(drop, v.set)
	p.closeSealed()
	p.logger().Debug("running the command", "variables", joinNames(v.set))
	status, err := child.Run(ctx, command)
	if err := errors.Join(err, end()); err != nil {
		return commandFailure(command.Args[0], err)
	}
	if status.Signal != 0 {
		child.Die(status.Signal)
	}
	return exitSilently(status.ExitCode())
}

// services are what a command is served with.
type services struct {
	*program
	options  []authring.Option
	noAgent  bool
	folder   string
	shared   *authring.Session // of all but the socket, which closes its own
	sessions []*authring.Session
	set      []string // variables of the command
	ended    []func()
}

// session opens a session, and makes sure that there is a token: what is wrong
// is told before the command starts.
func (v *services) session(ctx context.Context) (*authring.Session, error) {
	s, err := v.openForTokens(v.noAgent, v.options...)
	if err != nil {
		return nil, err
	}
	if _, err := s.Token(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (v *services) sharedSession(ctx context.Context) (*authring.Session, error) {
	if v.shared != nil {
		return v.shared, nil
	}
	s, err := v.session(ctx)
	if err != nil {
		return nil, err
	}
	v.shared = s
	v.sessions = append(v.sessions, s)
	return s, nil
}

// socket starts an agent for this link and access tokens alone.
func (v *services) socket(ctx, serving context.Context) (string, error) {
	config, err := v.agentConfig()
	if err != nil {
		return "", err
	}
	s, err := v.session(ctx)
	if err != nil {
		return "", err
	}
	// The first session is the one that was opened here, where the user could
	// be asked; the agent closes it.
	var first atomic.Pointer[authring.Session]
	first.Store(s)
	v.ended = append(v.ended, func() {
		if s := first.Swap(nil); s != nil {
			_ = s.Close()
		}
	})
	open := config.Open
	config.Open = func(app, name string) (*authring.Session, error) {
		if s := first.Swap(nil); s != nil {
			return s, nil
		}
		return open(app, name)
	}
	config.Only = &agent.Link{App: v.app, Config: v.config}
	config.Realm = "" // whoever has the socket may ask, and is written down
	keeper := v.gatekeeper()
	config.Audit = keeper.audit
	a, err := agent.New(config)
	if err != nil {
		return "", err
	}
	path := filepath.Join(v.folder, "agent", "sock")
	listener, err := agent.Listen(ctx, path)
	if err != nil {
		return "", errors.Join(err, a.Close())
	}
	ended := serve(serving, func(ctx context.Context) error { return a.Serve(ctx, listener) })
	v.ended = append(v.ended, func() {
		_ = ended() // its context ended
		_ = listener.Close()
		_ = a.Close()
		_ = keeper.Close()
	})
	v.set = append(v.set, agentclient.Variable+"="+path)
	return path, nil
}

// proxy starts a proxy on a port.
func (v *services) proxy(ctx, serving context.Context) (string, error) {
	s, err := v.sharedSession(ctx)
	if err != nil {
		return "", err
	}
	secret := proxy.NewSecret()
	front, err := v.newProxy(s, nil, secret)
	if err != nil {
		return "", err
	}
	listener, err := proxy.ListenLoopback("127.0.0.1:0")
	if err != nil {
		return "", err
	}
	ended := serve(serving, func(ctx context.Context) error { return front.Serve(ctx, listener) })
	v.ended = append(v.ended, func() { _ = ended() })
	return proxyAddress(listener, secret), nil
}

// tokenFile starts keeping a file with a good token.
func (v *services) tokenFile(ctx, serving context.Context) (string, error) {
	s, err := v.sharedSession(ctx)
	if err != nil {
		return "", err
	}
	file := child.TokenFile{
		Path:    filepath.Join(v.folder, "token"),
		Changed: v.recordChanges(),
		Ended:   endsLink,
		Token: func(ctx context.Context, minValid time.Duration, fresh bool) (secret.Secret, time.Time, error) {
			var want []authring.TokenOption
			switch {
			case fresh:
				want = append(want, authring.Fresh())
			case minValid > 0:
				want = append(want, authring.MinValid(minValid))
			}
			token, err := s.Token(ctx, want...)
			if err == nil {
				err = mustBeBearer(token, "the program that is run")
			}
			return token.AccessToken, token.Expires, err
		},
	}
	ends, err := file.Write(ctx)
	if err != nil {
		return "", fmt.Errorf("could not begin the token file: %w", err)
	}
	ended := serve(serving, func(ctx context.Context) error { file.Keep(ctx, ends); return nil })
	v.ended = append(v.ended, func() { _ = ended() })
	return file.Path, nil
}
