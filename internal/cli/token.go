package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/harden"
)

type tokenOptions struct {
	minValid time.Duration
	scope    []string
	header   bool
	noAgent  bool
}

const tokenLong = `Print an access token that is valid for at least five minutes, or as long as
--min-valid says. The keyring may ask to be unlocked, unless --no-input is
given. With --wait-keyring nobody is asked: the command waits until the keyring
is there and unlocked, as a program that starts with the session has to, and
ends with 75 if that does not happen in time.

The token is that of the agent, which is started if none runs (authring agent),
and which keeps access tokens in memory. Without one (--no-agent, or the
environment variable AUTHRING_AGENT=off), and where it cannot help, every run
gets a new token from the provider: access tokens are kept nowhere else.
The program authring-token is this verb with the same arguments; it starts in
half the time where the agent has the token, and leaves the rest to authring.

With --scope the token may do no more than that, for a program that needs no
more. It must be part of what was granted (authring status shows that), and the
provider must be one that can narrow a token: Dropbox can.

Standard output holds the token and a line break, and nothing else; with
--header, a header for an HTTP request (RFC 6750); with --json, an object with
access_token, token_type, expires_at (null for a token that does not expire),
scope, config and account_id.

Where token_type is DPoP (RFC 9449) the token works only with a proof, for each
request, by a key that stays in the keyring: --header is refused then. Programs
that use the library can make such requests.`

const tokenExample = `  curl -H "$(authring token --header)" -X POST https://api.dropboxapi.com/2/users/get_current_account
  authring token -c work --min-valid 1h --json
  authring token --scope files.metadata.read,account_info.read`

func (p *program) tokenCommand() *cobra.Command {
	opts := tokenOptions{minValid: authring.DefaultMinValid}
	cmd := p.newCommand(&cobra.Command{
		Use:   "token [options]",
		Short: "Print a valid access token",
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.runToken(cmd, opts) },
	}, page{
		long: tokenLong, example: tokenExample,
		exits: []int{
			exitOK, exitInvalid, exitConnection, exitNotLinked, exitLocked, exitUnavailable,
			exitRevoked, exitUsage, exitNoAgent, exitInternal, exitTemporary, exitRefused, exitInterrupted,
		},
	})
	cmd.Flags().DurationVar(&opts.minValid, "min-valid", opts.minValid, "how long the token must stay valid: a `TIME` such as 5m or 1h")
	cmd.Flags().StringSliceVar(&opts.scope, "scope", nil, "a token for this `SCOPE` only; several with commas, or repeated")
	p.addWaitFlag(cmd)
	cmd.Flags().BoolVar(&opts.noAgent, "no-agent", false, "do without the agent")
	cmd.Flags().BoolVar(&opts.header, "header", false, `print "Authorization: Bearer TOKEN"`)
	return cmd
}

// tokenObject is an access token in JSON output. Its members are promises.
type tokenObject struct {
	AccessToken string  `json:"access_token"`
	TokenType   string  `json:"token_type"`
	ExpiresAt   *string `json:"expires_at"`
	Scope       string  `json:"scope,omitempty"`
	Config      string  `json:"config"`
	AccountID   string  `json:"account_id"`
}

func (p *program) runToken(cmd *cobra.Command, opts tokenOptions) error {
	if opts.minValid < 0 {
		return usage("token", "--min-valid cannot be less than nothing")
	}
	if opts.header && p.json {
		return usage("token", "--header and --json are two ways to print the token; choose one")
	}
	ctx := cmd.Context()
	wait, err := p.waitOptions(cmd)
	if err != nil {
		return err
	}
	if !opts.noAgent {
		if done, err := p.tokenFromAgent(cmd, opts); done {
			return err
		}
	}
	// From here on the refresh token is in this process. The agent, which has
	// to see who asks it, was asked before.
	harden.Memory()
	s, err := p.open(p.config, wait...)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	var want []authring.TokenOption
	if cmd.Flags().Changed("min-valid") {
		want = append(want, authring.MinValid(opts.minValid))
	}
	if cmd.Flags().Changed("scope") {
		want = append(want, authring.Scope(opts.scope...))
	}
	token, err := s.Token(ctx, want...)
	if err == nil {
		err = p.printToken(newTokenObject(s, token), opts)
	}
	p.retryAfter(ctx, s, err)
	return err
}

func newTokenObject(s *authring.Session, token authring.Token) tokenObject {
	object := tokenObject{
		AccessToken: token.AccessToken.Reveal(), TokenType: token.TokenType, Scope: token.Scope,
		Config: s.ConfigName(), AccountID: s.AccountID(),
	}
	if !token.Expires.IsZero() {
		at := token.Expires.UTC().Format(time.RFC3339)
		object.ExpiresAt = &at
	}
	return object
}

func (p *program) printToken(object tokenObject, opts tokenOptions) error {
	var err error
	switch {
	case p.json:
		err = p.printJSON(object)
	case opts.header:
		if err := bearerType(object.TokenType, "a header that is printed"); err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "Authorization: Bearer %s\n", object.AccessToken)
	default:
		if bearerType(object.TokenType, "") != nil {
			p.warn("this token is bound to a key (DPoP): it works with a proof by that key only, and the key stays in the keyring")
		}
		_, err = fmt.Fprintln(p.stdout, object.AccessToken)
	}
	if err != nil {
		return fmt.Errorf("could not print the token: %w", err)
	}
	return nil
}

// benchReadCommand loads the secret of the link and prints nothing: what
// ./bench measures.
func (p *program) benchReadCommand() *cobra.Command {
	cmd := p.newCommand(&cobra.Command{
		Use:    "bench-read [options]",
		Short:  "Load the secret of the link, and print nothing",
		Hidden: true,
		RunE:   func(cmd *cobra.Command, _ []string) error { return p.runBenchRead(cmd.Context()) },
	}, page{long: "Load the secret of the link, and print nothing. It is for measuring."})
	return cmd
}

func (p *program) runBenchRead(ctx context.Context) error {
	s, err := authring.Open(p.config, authring.WithApp(p.app))
	if err != nil {
		return err
	}
	return s.Load(ctx)
}
