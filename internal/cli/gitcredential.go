package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/gitcredential"
)

const gitCredentialLong = `Speak git's protocol for credential helpers on standard input and output, so
that git can use an access token as the password for the provider's hosts.

For get, git says for which address: if that is one of the provider's hosts,
over https, the answer has a token, and when it ends. For every other address
there is no answer and no error, and git asks its next helper, or the user. The
words store and erase, and those of later versions of git, change nothing:
there is nothing that git could store or erase here.`

const gitCredentialExample = `  git config --global credential.helper '!authring git-credential'
  git config --global credential.https://git.example.com.helper '!authring git-credential -c work'`

func (p *program) gitCredentialCommand() *cobra.Command {
	return p.newCommand(&cobra.Command{
		Use:       "git-credential get|store|erase",
		Short:     "Give git an access token as a password",
		ValidArgs: []cobra.Completion{"get", "store", "erase"},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("git-credential", "git-credential takes one word: get, store or erase")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return p.runGitCredential(cmd, args[0]) },
	}, page{
		long: gitCredentialLong, example: gitCredentialExample,
		exits: []int{
			exitOK, exitConnection, exitNotLinked, exitLocked, exitUnavailable, exitRevoked,
			exitUsage, exitInternal, exitInterrupted,
		},
	})
}

func (p *program) runGitCredential(cmd *cobra.Command, word string) error {
	request, err := gitcredential.Read(p.stdin)
	if err != nil || word != "get" {
		// Whatever git means, another helper may know.
		p.logger().Debug("nothing to answer", "word", word, "error", err)
		return nil
	}
	p.linkOfSocket(cmd)
	from, err := p.provider()
	if err != nil {
		return err
	}
	address := request.Address()
	if address == nil || !from.Serves(address) {
		p.logger().Debug("nothing to answer: the host is not the provider's")
		return nil
	}
	s, err := p.open(p.config, authring.WithAgent())
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	token, err := s.Token(cmd.Context())
	if err == nil {
		err = mustBeBearer(token, "git")
	}
	if err != nil {
		return err
	}
	if err := gitcredential.Write(p.stdout, request, token.AccessToken.Reveal(), token.Expires); err != nil {
		return fmt.Errorf("could not answer git: %w", err)
	}
	return nil
}
