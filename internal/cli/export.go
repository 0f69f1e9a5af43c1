package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/rcloneconf"
	"github.com/authring/authring/record"
)

type exportOptions struct {
	yes, force, dryRun bool
	remote             string
}

const exportLong = `Print the link as another program has it, for that program's own file.

authring export rclone prints a remote for rclone's configuration, with the
refresh token and an access token. Both leave the keyring: whatever can read
that file, any program of yours and any backup, can then use the account. You
are asked for that, or say --yes. It is not printed on a terminal without
--force. With --dry-run it is said what would be printed, without the secrets,
and neither the keyring nor the provider is asked for them.

rclone must be 1.67 or newer: older ones send the secret of rclone's own app
with the app key of the remote when they renew the access token. Dropbox
refuses that, and the remote stops working after four hours.

Both programs then share one grant: when one of them unlinks, it ends for the
other as well. The link stays what it is.`

const exportExample = `  (umask 077; mkdir -p ~/.config/rclone)
  authring export rclone --remote box --yes >> ~/.config/rclone/rclone.conf`

func (p *program) exportCommand() *cobra.Command {
	var opts exportOptions
	cmd := p.newCommand(&cobra.Command{
		Use:       "export rclone [options]",
		Short:     "Print the link as a remote of rclone's",
		ValidArgs: []string{"rclone"},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] != "rclone" {
				return usage("export", "say what to export for: rclone")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return p.runExport(cmd, opts) },
	}, page{
		long: exportLong, example: exportExample,
		exits: []int{
			exitOK, exitInvalid, exitConnection, exitNotLinked, exitLocked, exitUnavailable, exitRevoked,
			exitUsage, exitInternal, exitTemporary, exitInterrupted,
		},
	})
	flags := cmd.Flags()
	flags.StringVar(&opts.remote, "remote", "", "`NAME` of the remote; the config name if not given")
	flags.BoolVarP(&opts.yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&opts.dryRun, "dry-run", false, "only say what would be printed")
	flags.BoolVar(&opts.force, "force", false, "print the secret on a terminal too")
	p.addWaitFlag(cmd)
	return cmd
}

// check finds what does not fit together before anything is touched.
func (o *exportOptions) check(p *program) error {
	if o.remote == "" {
		o.remote = p.config
	}
	if err := rcloneconf.CheckName(o.remote); err != nil {
		return usage("export", "%v; name it with --remote", err)
	}
	switch {
	case p.json:
		return usage("export", "export rclone prints what rclone reads; leave out --json")
	case o.yes && o.dryRun:
		return usage("export", "--yes and --dry-run contradict each other")
	case o.dryRun:
		return nil
	case p.stdout.terminal && !o.force:
		return usage("export", "the secret would be shown on this terminal; send it to rclone's file (>> rclone.conf), or say --force")
	case !o.yes && !p.asks():
		return usage("export", "nobody can be asked here; say --yes to take the secret out of the keyring")
	}
	return nil
}

func (p *program) runExport(cmd *cobra.Command, opts exportOptions) error {
	if err := opts.check(p); err != nil {
		return err
	}
	wait, err := p.waitOptions(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	s, err := p.open(p.config, wait...)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	rec := s.Record()
	if rec.Empty() {
		return authring.ErrNotLinked
	}
	if rec.Provider != record.DefaultProvider {
		return &failure{err: &usageError{verb: "export"}, message: fmt.Sprintf("%q is with %s; only links with Dropbox can be exported", p.config, rec.Provider)}
	}
	if opts.dryRun {
		p.say("%s %q, %s, would be printed as the remote %q:", p.stderr.paint(bold, "+"), p.config, linkedTo(rec), opts.remote)
		p.say("%s", indent(rclonePlan(rec, opts.remote), "  "))
	}
	p.warnOfRemote(opts.remote)
	p.warn("The secret of %q leaves the keyring: whatever can read rclone's file can use the account.", p.config)
	p.warn("rclone and authring will share the grant: when one of them unlinks, it ends for both.")
	if opts.dryRun {
		return nil
	}
	if !opts.yes {
		sure, err := p.confirm(ctx, "Print it?")
		if err != nil {
			return err
		}
		if !sure {
			return &failure{err: errInterrupted, message: "nothing was printed"}
		}
	}
	section, err := rcloneSection(ctx, s, opts.remote)
	if err != nil {
		return err
	}
	if _, err := p.stdout.Write(section); err != nil {
		return fmt.Errorf("could not print the remote: %w", err)
	}
	p.done("Printed %q as the remote %q", p.config, opts.remote)
	if rec.TokenAccessType != record.Legacy {
		p.say("  It is for rclone 1.67 and newer; older ones cannot renew its access token.")
	}
	return nil
}

// warnOfRemote warns of a remote of that name: rclone would take the values of
// both for those of one.
func (p *program) warnOfRemote(name string) {
	path, err := rcloneconf.Path(p.getenv)
	if err != nil {
		return
	}
	remotes, err := rcloneconf.Read(path)
	if err == nil && slices.ContainsFunc(remotes, func(r rcloneconf.Remote) bool { return r.Name == name }) {
		p.warn("%s has a remote %q already, and would mix the two: give this one another name with --remote.", path, name)
	}
}

// rcloneSection gets a token, which may replace the refresh token, and writes
// both as rclone has them.
func rcloneSection(ctx context.Context, s *authring.Session, remote string) ([]byte, error) {
	access, err := s.Token(ctx)
	if err != nil {
		return nil, err
	}
	refresh, err := s.RefreshToken(ctx)
	if err != nil {
		return nil, err
	}
	rec := s.Record()
	if refresh.IsZero() && rec.TokenAccessType != string(authring.Legacy) {
		return nil, errors.New("could not export the link: it was changed meanwhile; try again")
	}
	return rcloneconf.Format(remote, exportedKey(rec), rcloneconf.Token{Access: access.AccessToken, Refresh: refresh, Expiry: access.Expires})
}

// exportedKey is the app key that the grant was made with.
func exportedKey(rec record.Record) string {
	if rec.AppKey == "" {
		return authring.DefaultAppKey
	}
	return rec.AppKey
}

// rclonePlan is the section with asterisks for what is secret.
func rclonePlan(rec record.Record, remote string) string {
	token := `{"access_token":"***","token_type":"bearer","refresh_token":"***","expiry":"..."}`
	if rec.TokenAccessType == record.Legacy {
		token = `{"access_token":"***","token_type":"bearer","expiry":"0001-01-01T00:00:00Z"}`
	}
	return fmt.Sprintf("[%s]\ntype = dropbox\nclient_id = %s\ntoken = %s", remote, exportedKey(rec), token)
}
