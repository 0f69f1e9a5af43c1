package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/harden"
	"github.com/authring/authring/internal/proxy"
)

// proxyVariable is the environment variable with the address of a proxy.
const proxyVariable = "AUTHRING_PROXY"

type proxyOptions struct {
	to      []string
	listen  string
	socket  string
	noAgent bool
}

const proxyLong = `Run a proxy that adds the access token to requests, for programs that should
use the provider's interface and not learn a token.

Once it listens it prints AUTHRING_PROXY=ADDRESS. The address is
http://127.0.0.1:PORT/SECRET, where the secret is random and new each time:
requests go to ADDRESS/2/users/get_current_account in the place of
https://api.dropboxapi.com/2/users/get_current_account. With --socket it is
unix:PATH, a socket in a folder that only this user can enter, and no secret is
asked for. It serves until it is interrupted, which is a success.

Requests go to the first host of the provider (api.dropboxapi.com), or the one
that the path begins with: ADDRESS/content.dropboxapi.com/2/files/download. On
a socket the header Host may name it as well. With --to, only to the hosts that
it names, and the first of them is the one that is meant when none is named.

The caller's own Authorization and cookies are taken out. Requests of web pages,
for other hosts, to change the protocol, and for the routes on which tokens are
made or ended are refused; redirects are handed back. If the provider refuses
the token, it is renewed once and the request sent again, unless more than 256
KiB of its body have been sent by then. Bodies of any size are streamed.`

const proxyExample = `  authring proxy -c work
  authring proxy --to https://content.dropboxapi.com --listen 127.0.0.1:8099
  authring proxy --socket "$XDG_RUNTIME_DIR/authring-work/proxy.sock"
  curl --unix-socket "$XDG_RUNTIME_DIR/authring-work/proxy.sock" -X POST http://localhost/2/users/get_current_account`

func (p *program) proxyCommand() *cobra.Command {
	opts := proxyOptions{listen: "127.0.0.1:0"}
	cmd := p.newCommand(&cobra.Command{
		Use:   "proxy [options]",
		Short: "Add access tokens to the requests of other programs",
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.runProxy(cmd, opts) },
	}, page{
		long: proxyLong, example: proxyExample,
		exits: []int{
			exitOK, exitConnection, exitNotLinked, exitLocked, exitUnavailable, exitRevoked,
			exitUsage, exitInternal, exitTemporary, exitRefused,
		},
	})
	flags := cmd.Flags()
	flags.StringArrayVar(&opts.to, "to", nil, "let requests go to this `URL`, such as https://api.dropboxapi.com; may be repeated")
	flags.StringVar(&opts.listen, "listen", opts.listen, "listen at `HOST:PORT`, on this machine only; port 0 is any that is free")
	flags.StringVar(&opts.socket, "socket", "", "listen on a Unix socket at this `PATH` instead; its folder must be closed to others")
	flags.BoolVar(&opts.noAgent, "no-agent", false, "do without the agent")
	p.addWaitFlag(cmd)
	return cmd
}

func (p *program) runProxy(cmd *cobra.Command, opts proxyOptions) error {
	ctx := cmd.Context()
	if opts.socket != "" && cmd.Flags().Changed("listen") {
		return usage("proxy", "--socket and --listen are two places to listen at; choose one")
	}
	if opts.socket == "" && cmd.Flags().Changed("socket") {
		return usage("proxy", "--socket needs the path of a socket")
	}
	var targets []*url.URL
	for _, text := range opts.to {
		u, err := url.Parse(text)
		if err != nil {
			return usage("proxy", "--to is not a URL, such as https://api.dropboxapi.com")
		}
		targets = append(targets, u)
	}
	options, err := p.waitOptions(cmd)
	if err != nil {
		return err
	}
	if !opts.noAgent {
		p.linkOfSocket(cmd)
	}
	s, err := p.openForTokens(opts.noAgent, options...)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	secret := ""
	if opts.socket == "" {
		secret = proxy.NewSecret()
	}
	front, err := p.newProxy(s, targets, secret)
	if errors.Is(err, proxy.ErrNoHosts) {
		return err
	}
	if err != nil {
		return usage("proxy", "%v", err)
	}
	// What is wrong with the link is told now, and not to the first caller.
	if _, err := s.Token(ctx); err != nil {
		return err
	}
	var listener net.Listener
	if opts.socket != "" {
		listener, err = proxy.ListenUnix(opts.socket)
	} else {
		listener, err = proxy.ListenLoopback(opts.listen)
	}
	if errors.Is(err, proxy.ErrAddress) {
		return usage("proxy", "%v", err)
	}
	if err != nil {
		return err
	}
	address := proxyAddress(listener, secret)
	if p.json {
		err = p.printJSON(map[string]string{"url": address})
	} else {
		_, err = fmt.Fprintf(p.stdout, "%s=%s\n", proxyVariable, address)
	}
	if err != nil {
		_ = listener.Close()
		return fmt.Errorf("could not print the address: %w", err)
	}
	p.say("The proxy for %s listens there until it is interrupted (Ctrl-C).", p.providerTitle())
	return front.Serve(ctx, listener)
}

// openForTokens opens the link's session for a verb that hands out its tokens.
func (p *program) openForTokens(noAgent bool, options ...authring.Option) (*authring.Session, error) {
	if noAgent {
		harden.Memory() // an agent would have to see who asks it
	} else {
		options = append(options, authring.WithAgent())
	}
	return p.open(p.config, options...)
}

// newProxy makes the proxy of a link.
func (p *program) newProxy(s *authring.Session, targets []*url.URL, secret string) (*proxy.Proxy, error) {
	from, err := p.provider()
	if err != nil {
		return nil, err
	}
	return proxy.New(proxy.Config{
		Provider: from, Targets: targets, Secret: secret, Token: newRenewer(s, p.recordChanges()).token,
		Explain: func(err error) any { return p.errorObject(err) }, Logger: p.logger(),
	})
}

// proxyAddress is what the proxy's callers are told.
func proxyAddress(listener net.Listener, secret string) string {
	if listener.Addr().Network() == "unix" {
		return "unix:" + listener.Addr().String()
	}
	return "http://" + listener.Addr().String() + "/" + secret
}

// serve runs a server until the context ends, and returns a function that waits
// for its end.
func serve(ctx context.Context, run func(context.Context) error) (ended func() error) {
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	return func() error { return <-done }
}
