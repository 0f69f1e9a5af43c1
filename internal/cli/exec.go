package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/internal/child"
	"github.com/authring/authring/provider"
)

// The environment variables that a command gets.
const (
	socketVariable    = "AUTHRING_SOCKET"
	tokenFileVariable = "AUTHRING_TOKEN_FILE"
)

type execOptions struct {
	env       string
	socket    bool
	proxy     bool
	tokenFile bool
	noAgent   bool
}

const execLong = `Run a command that gets access tokens, and never the refresh token. Without
options one access token is in the environment variable that the provider's own
tools use (DROPBOX_ACCESS_TOKEN), or that --env names; authring then becomes the
command. That token ends after some hours. For commands that run longer:

  --socket      a socket of the command's own, which gives fresh access tokens of
                this link and nothing else; its path is in AUTHRING_SOCKET, and in
                AUTHRING_AGENT, by which authring token uses it
  --proxy       the address of a proxy that adds the token (see authring proxy),
                in AUTHRING_PROXY
  --token-file  the path of a file that always holds a good token, in
                AUTHRING_TOKEN_FILE; it is in memory (tmpfs), and removed at the end;
                on Linux only

With one of these, which can be combined, no token is in the environment, nor
what was in that variable before; authring stays until the command ends, passes
on the signals that it is sent, stops and goes on with it, and ends as it does:
with its exit status, or by its signal. If authring is killed, so is the command
(on Linux).

The command's environment is the caller's, without the variables AUTHRING_…
(but AUTHRING_DROPBOX_URL and AUTHRING_AGENT) and with the ones above. Its
arguments are its own.

Exit status: the command's own, 126 if it cannot be run, 127 if there is none
of that name; or, before it was started, one of those below.`

const execExample = `  authring exec -c work -- backup --all
  authring exec --env TOKEN -- sh -c 'curl -H "Authorization: Bearer $TOKEN" …'
  authring exec --socket -- sh -c 'curl --unix-socket "$AUTHRING_SOCKET" http://authring/v1/token'
  authring exec --proxy -- sh -c 'curl -X POST "$AUTHRING_PROXY/2/users/get_current_account"'
  authring exec --token-file -- sync-tool`

func (p *program) execCommand() *cobra.Command {
	opts := execOptions{}
	cmd := p.newCommand(&cobra.Command{
		Use:   "exec [options] -- COMMAND [ARGUMENT...]",
		Short: "Run a command that gets access tokens",
		Args: func(cmd *cobra.Command, args []string) error {
			switch cmd.ArgsLenAtDash() {
			case 0:
			case -1:
				return usage("exec", "write -- and then the command, as in: authring exec -- env")
			default:
				return usage("exec", "exec takes flags only before the --")
			}
			if len(args) == 0 || args[0] == "" {
				return usage("exec", "after the -- there is no command")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return p.runExec(cmd, opts, args) },
	}, page{
		long: execLong, example: execExample,
		exits: []int{
			exitInvalid, exitConnection, exitNotLinked, exitLocked, exitUnavailable, exitRevoked,
			exitUsage, exitInternal, exitTemporary, exitRefused, exitNotRunnable, exitNoCommand, exitInterrupted,
		},
	})
	flags := cmd.Flags()
	flags.StringVar(&opts.env, "env", "", "`NAME` of the variable for the token, or for the one thing that stands for it")
	flags.BoolVar(&opts.socket, "socket", false, "give a socket for access tokens instead of a token")
	flags.BoolVar(&opts.proxy, "proxy", false, "give the address of a proxy instead of a token")
	flags.BoolVar(&opts.tokenFile, "token-file", false, "give the path of a file with a fresh token instead of a token")
	flags.BoolVar(&opts.noAgent, "no-agent", false, "do without the agent")
	p.addWaitFlag(cmd)
	return cmd
}

func (p *program) runExec(cmd *cobra.Command, opts execOptions, args []string) error {
	given := 0
	for _, service := range []bool{opts.socket, opts.proxy, opts.tokenFile} {
		if service {
			given++
		}
	}
	switch {
	case cmd.Flags().Changed("env") && !child.IsName(opts.env):
		return usage("exec", "--env needs a name that a variable can have: letters, digits and _")
	case opts.env != "" && given > 1:
		return usage("exec", "--env names one variable, and --socket, --proxy and --token-file each have one; leave it out")
	case opts.tokenFile && !child.TokenFiles:
		return usage("exec", "--token-file is for Linux, where a file can be in memory alone; use --socket or --proxy")
	}
	// Nobody is asked for anything if there is nothing to run.
	path, err := child.Find(args[0])
	if err != nil {
		return commandFailure(args[0], err)
	}
	child.Sweep(p.getenv)
	if !opts.noAgent {
		p.linkOfSocket(cmd)
	}
	options, err := p.waitOptions(cmd)
	if err != nil {
		return err
	}
	command := child.Command{Path: path, Args: args, Ignored: p.ignored}
	if given > 0 {
		return p.execServed(cmd.Context(), opts, command, options)
	}
	s, err := p.openForTokens(opts.noAgent, options...)
	if err != nil {
		return err
	}
	token, err := s.Token(cmd.Context())
	err = errors.Join(err, s.Close())
	if err == nil {
		err = mustBeBearer(token, "the program that is run")
	}
	if err != nil {
		return err
	}
	variable := opts.env
	if variable == "" {
		variable = p.tokenVariable()
	}
	if variable == "" {
		return usage("exec", "%s's tools have no variable for a token; choose one with --env", p.providerTitle())
	}
	command.Env = p.commandEnv(nil, []string{variable + "=" + token.AccessToken.Reveal()})
	p.closeSealed()
	err = child.Replace(cmd.Context(), command, p.releaseSignals)
	if !errors.Is(err, errors.ErrUnsupported) {
		return commandFailure(args[0], err)
	}
	status, err := child.Run(cmd.Context(), command)
	if err != nil {
		return commandFailure(args[0], err)
	}
	return exitSilently(status.ExitCode())
}

// commandFailure names the command that could not be run.
func commandFailure(name string, err error) error {
	if !errors.Is(err, child.ErrNotRunnable) && !errors.Is(err, child.ErrNotFound) {
		return err
	}
	return &failure{
		err: err, message: fmt.Sprintf("could not run %.64q: %v", name, err),
		hint: "After the -- there is the name or the path of a program, and then its arguments.",
	}
}

// tokenVariable is where the provider's own tools look for a token.
func (p *program) tokenVariable() string {
	from, err := p.provider()
	if err != nil {
		return ""
	}
	return from.TokenVariable
}

// commandEnv is the environment of a command.
func (p *program) commandEnv(drop, set []string) []string {
	return child.Environment(os.Environ(), []string{provider.DropboxURL, agentclient.Variable}, drop, set)
}

// closeSealed keeps the descriptor of a passphrase from the command.
func (p *program) closeSealed() {
	if fd := p.sealed.passphraseFD; fd > 2 {
		_ = descriptor(fd).Close()
	}
}

// execVariable is the variable for one thing: its own, or the one that the
// user named.
func (o execOptions) execVariable(usual string) string {
	if o.env != "" {
		return o.env
	}
	return usual
}

// endsLink reports whether there will be no tokens any more.
func endsLink(err error) bool {
	return errors.Is(err, authring.ErrNotLinked) || errors.Is(err, authring.ErrRevoked)
}

// withoutCommand are the arguments before a --: what stands behind is another
// program's.
func withoutCommand(args []string) []string {
	for i, arg := range args {
		if arg == "--" {
			return args[:i]
		}
	}
	return args
}

// joinNames lists variables for people.
func joinNames(variables []string) string {
	var names []string
	for _, variable := range variables {
		name, _, _ := strings.Cut(variable, "=")
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}
