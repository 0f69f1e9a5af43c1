package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
)

type unlinkOptions struct{ yes, localOnly bool }

const unlinkLong = `End a link: the grant is revoked at the provider, the secret is deleted from
the keyring, and the record is cleared. Nothing else is touched; other links
of the same account stay.

Without a connection the local part is done all the same. The grant is then
kept in the keyring, no longer as a link, and the next link, token or unlink
revokes it; the exit status is 2, because the grant is still valid.

With --local-only the provider is not spoken to. It works with a keyring that
is locked, broken or gone, too; the grant stays valid at the provider until it
is withdrawn there.`

const unlinkExample = `  authring unlink
  authring unlink -c work --yes`

func (p *program) unlinkCommand() *cobra.Command {
	var opts unlinkOptions
	cmd := p.newCommand(&cobra.Command{
		Use:   "unlink [options]",
		Short: "End a link",
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.runUnlink(cmd, opts) },
	}, page{
		long: unlinkLong, example: unlinkExample,
		exits: []int{
			exitOK, exitInvalid, exitConnection, exitNotLinked, exitLocked, exitUnavailable,
			exitUsage, exitInternal, exitTemporary, exitInterrupted,
		},
	})
	cmd.Flags().BoolVarP(&opts.yes, "yes", "y", false, "do not ask")
	p.addWaitFlag(cmd)
	cmd.Flags().BoolVar(&opts.localOnly, "local-only", false, "leave the grant as it is at the provider")
	return cmd
}

func (p *program) runUnlink(cmd *cobra.Command, opts unlinkOptions) error {
	ctx := cmd.Context()
	if !opts.yes && !p.asks() {
		return usage("unlink", "nobody can be asked here; say --yes to unlink")
	}
	wait, err := p.waitOptions(cmd)
	if err != nil {
		return err
	}
	p.localOnly = opts.localOnly
	s, err := p.open(p.config, wait...)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	rec := s.Record()
	if rec.Empty() {
		return authring.ErrNotLinked
	}
	if !opts.yes {
		sure, err := p.confirm(ctx, fmt.Sprintf("Unlink %q from %s?", p.config, linkedTo(rec)))
		if err != nil {
			return err
		}
		if !sure {
			return &failure{err: errInterrupted, message: "nothing was changed"}
		}
	}
	var how []authring.UnlinkOption
	if opts.localOnly {
		how = append(how, authring.LocalOnly())
	}
	outlivePipes()
	// An unlink that has begun is given the time to end whole.
	patient, cancel := p.patient(ctx)
	defer cancel()
	result, err := s.Unlink(patient, how...)
	if err != nil {
		return &failure{
			err: err, message: p.messageOf(err) + "; nothing was changed",
			hint: p.hintOf(err) + "\nTo forget the link on this machine all the same: " + p.command("unlink", "--local-only"),
		}
	}
	if !opts.localOnly && result.RevokeErr == nil {
		p.retryRevocations(ctx, s, retryBound)
	}
	return p.printUnlinked(rec.AccountID, linkedTo(rec), result, opts)
}

// unlinkedObject is the result in JSON output. Its members are promises.
type unlinkedObject struct {
	Config    string `json:"config"`
	State     string `json:"state"`
	AccountID string `json:"account_id"`
	Keyring   string `json:"keyring"`
	Revoked   bool   `json:"revoked"`
	Queued    bool   `json:"revocation_queued"`
	Problem   string `json:"problem,omitempty"`
}

// printUnlinked says what was done, and ends with the code of what was not.
func (p *program) printUnlinked(accountID, who string, result authring.UnlinkResult, opts unlinkOptions) error {
	err := result.Leftover
	problem := ""
	switch {
	case err != nil:
		problem = fmt.Sprintf("the secret stays in the keyring %s: %v", orID(result.KeyringName, result.Keyring), err)
	case result.RevokeErr != nil && result.Queued:
		err = result.RevokeErr
		problem = fmt.Sprintf("%s could not be asked to revoke the grant (%v); it is kept in the keyring, and the next command tries again", p.providerTitle(), err)
	case result.RevokeErr != nil:
		err = result.RevokeErr
		problem = fmt.Sprintf("the grant could not be revoked, and may stay valid at %s: %v", p.providerTitle(), err)
	}
	if p.json {
		if printErr := p.printJSON(unlinkedObject{
			Config: p.config, State: authring.Unlinked.String(), AccountID: accountID, Keyring: string(result.Keyring),
			Revoked: result.Revoked, Queued: result.Queued, Problem: printable(problem),
		}); printErr != nil {
			return printErr
		}
	} else {
		p.tellUnlinked(who, problem, result, opts)
	}
	switch {
	case err == nil, opts.localOnly, errors.Is(err, authring.ErrSecretMissing):
		return nil
	case result.Leftover == nil && errors.Is(err, errors.ErrUnsupported):
		return nil // all was done that a program can do, and the rest was told
	default:
		return exitSilently(kindOf(err).code)
	}
}

// tellUnlinked is printUnlinked for people.
func (p *program) tellUnlinked(who, problem string, result authring.UnlinkResult, opts unlinkOptions) {
	p.done("Unlinked %q from %s", p.config, who)
	if result.Revoked {
		p.say("  The grant was revoked at %s, and the secret deleted from %s.", p.providerTitle(), orID(result.KeyringName, result.Keyring))
	}
	if problem != "" {
		p.warn("%s", problem)
	}
	if (problem != "" && !result.Queued) || opts.localOnly {
		if from, err := p.provider(); err == nil && from.ManageURL != "" {
			p.say("  The grant may still be valid. Withdraw it there: %s", from.ManageURL)
		}
	}
}
