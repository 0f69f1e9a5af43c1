package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

type importOptions struct {
	yes, dryRun           bool
	keyring               string
	allowPlaintext        bool
	relink, switchAccount bool
	offline               bool
	file                  string
	appKey                string
}

const importLong = `Link with what another program has: no page has to be opened, and no access to
be approved again. The other program is left as it is.

authring import maestral takes the links of Maestral, all of them or the config
NAMEs that are given: of every version since 0.2.0, from the Secret Service,
KWallet or the plain-text file where that keeps them.

authring import rclone takes remotes of the type dropbox from rclone's
configuration, all of them or the ones that are given. rclone's own app has a
secret that is part of rclone: refresh tokens of that app, and of any other
that has a client_secret, are of no use to other programs, and are refused.
A remote that names no app key, since the environment or a flag of rclone has
given it, is of rclone's own app unless --app-key says otherwise.
An encrypted configuration is refused as well.

A link gets the name that it has there, or, if it is one, that of -c. First it
is said what would be done; with --dry-run that is all, and otherwise you are
asked, or say --yes. The provider is asked whether each grant is valid and whose
it is, unless --offline is given, which is for Maestral's only. A config name
that is linked already stays as it is without --relink, which replaces the
grant of that link and revokes it.

Both programs then share one grant: when one of them unlinks, it ends for the
other as well.`

const importExample = `  authring import maestral --dry-run
  authring import maestral maestral -c default --yes
  authring import rclone box --config ./rclone.conf`

func (p *program) importCommand() *cobra.Command {
	var opts importOptions
	cmd := p.newCommand(&cobra.Command{
		Use:       "import maestral|rclone [NAME...] [options]",
		Short:     "Link with what Maestral or rclone has",
		ValidArgs: []string{"maestral", "rclone"},
		Args:      cobra.ArbitraryArgs,
		RunE:      func(cmd *cobra.Command, args []string) error { return p.runImport(cmd, args, opts) },
	}, page{
		long: importLong, example: importExample,
		exits: []int{
			exitOK, exitInvalid, exitConnection, exitNotLinked, exitLocked, exitUnavailable, exitRevoked,
			exitUsage, exitInternal, exitInterrupted,
		},
	})
	flags := cmd.Flags()
	flags.BoolVarP(&opts.yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&opts.dryRun, "dry-run", false, "only say what would be done")
	flags.StringVar(&opts.keyring, "keyring", "", "store the secrets in the keyring `ID`, and in no other")
	flags.BoolVar(&opts.allowPlaintext, "allow-plaintext", false, "accept plain text if no keyring can be used")
	flags.BoolVar(&opts.relink, "relink", false, "replace links that exist")
	flags.BoolVar(&opts.switchAccount, "switch-account", false, "let --relink replace an account by another")
	flags.BoolVar(&opts.offline, "offline", false, "do not ask the provider")
	flags.StringVar(&opts.file, "config", "", "the `FILE` of rclone's configuration, if it is not where rclone keeps it")
	flags.StringVar(&opts.appKey, "app-key", "", "the app `KEY` of rclone's remotes that name none")
	return cmd
}

// check finds what does not fit together before anything is touched.
func (o *importOptions) check(p *program, args []string) error {
	switch {
	case len(args) == 0 || args[0] != "maestral" && args[0] != "rclone":
		return usage("import", "say what to import from: maestral or rclone")
	case p.app == record.MaestralApp:
		return usage("import", "with --app Maestral the links of Maestral are in use already; import makes links of authring's own")
	case p.configAsked && len(args) != 2:
		return usage("import", "-c names one link; say which one is to get that name: authring import %s NAME -c %s", args[0], shellQuote(p.config))
	case o.switchAccount && !o.relink:
		return usage("import", "--switch-account belongs to --relink")
	case o.file != "" && args[0] != "rclone":
		return usage("import", "--config is for rclone's configuration")
	case o.appKey != "" && args[0] != "rclone":
		return usage("import", "--app-key is for rclone's remotes; Maestral has one key for all")
	case o.offline && args[0] != "maestral":
		return usage("import", "rclone does not write down whose its tokens are: the provider must be asked; leave out --offline")
	case o.yes && o.dryRun:
		return usage("import", "--yes and --dry-run contradict each other")
	}
	return checkKeyringID("import", o.keyring)
}

// importing is one run of the verb.
type importing struct {
	linking
	importOptions
	source string
}

func (p *program) runImport(cmd *cobra.Command, args []string, opts importOptions) error {
	if err := opts.check(p, args); err != nil {
		return err
	}
	ctx := cmd.Context()
	p.linkProvider = record.DefaultProvider
	outlivePipes()
	i := &importing{
		linking: linking{program: p, linkOptions: linkOptions{keyring: opts.keyring, switchAccount: opts.switchAccount}},
		// As for a link: naming it is agreeing to it.
		importOptions: opts, source: args[0],
	}
	i.plaintext = opts.allowPlaintext || opts.keyring == string(keyring.Plaintext)
	var found []candidate
	var err error
	if i.source == "maestral" {
		found, err = i.fromMaestral(ctx, args[1:])
	} else {
		found, err = i.fromRclone(args[1:])
	}
	if err != nil {
		return err
	}
	for n := range found {
		if i.look(ctx, &found[n]); ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if len(found) == 0 {
		i.say("There is nothing to import.")
	}
	todo := 0
	for _, c := range found {
		i.tell(c)
		if c.err == nil && !c.exists {
			todo++
		}
	}
	if todo > 0 {
		i.warn("%s and authring will share the grant: when one of them unlinks, it ends for both.", i.title())
	}
	if todo == 0 || opts.dryRun {
		return i.finish(found, nil)
	}
	if err := i.sure(ctx, todo); err != nil {
		return err
	}
	results := map[string]result{}
	for _, c := range found {
		if c.err != nil || c.exists {
			continue
		}
		saved, err := i.run(ctx, c)
		if err != nil && ctx.Err() != nil {
			return err
		}
		results[c.config] = result{saved, err}
	}
	return i.finish(found, results)
}

// title is what people call the other program.
func (i *importing) title() string {
	if i.source == "maestral" {
		return "Maestral"
	}
	return "rclone"
}

// again spells the command that imports one link, of the same file.
func (i *importing) again(name string, flags ...string) string {
	one := *i.program
	one.config = defaultConfig
	keep := func(flag, value string) {
		if value != "" && !slices.Contains(flags, flag) {
			flags = append(flags, flag, value)
		}
	}
	if i.configAsked {
		keep("-c", i.program.config)
	}
	keep("--app-key", i.appKey)
	keep("--config", i.file)
	return one.command("import", append([]string{i.source, name}, flags...)...)
}

// sure asks before anything is done.
func (i *importing) sure(ctx context.Context, todo int) error {
	if i.yes {
		return nil
	}
	if !i.asks() {
		return usage("import", "nobody can be asked here; say --yes to import, or --dry-run for what was said so far")
	}
	question := "Import it?"
	if todo > 1 {
		question = fmt.Sprintf("Import these %d?", todo)
	}
	sure, err := i.confirm(ctx, question)
	if err == nil && !sure {
		err = &failure{err: errInterrupted, message: "nothing was changed"}
	}
	return err
}

// run makes one link.
func (i *importing) run(ctx context.Context, c candidate) (authring.Saved, error) {
	one := *i.program
	one.config = c.config
	grant, err := c.grant(ctx)
	if err != nil {
		return authring.Saved{}, err
	}
	s, err := one.open(c.config, i.sessionOptions()...)
	if err != nil {
		return authring.Saved{}, err
	}
	defer func() { _ = s.Close() }()
	if id := keyring.ID(i.importOptions.keyring); id != "" && !hasKeyring(s, id) {
		return authring.Saved{}, notHere(id)
	}
	patient, cancel := i.patient(ctx)
	defer cancel()
	saved, err := s.Import(patient, grant)
	if err != nil {
		return saved, i.notImported(&one, c, err)
	}
	i.done("Linked %q to %s", c.config, linkedTo(s.Record()))
	i.say("  keyring  %s", orID(saved.KeyringName, saved.Keyring))
	if saved.Plaintext {
		i.warn("The secret is stored as plain text: who reads that file can use the account.")
	}
	return saved, nil
}

// notImported words an error for the link that was to be made.
func (i *importing) notImported(one *program, c candidate, err error) error {
	f := &failure{err: err, message: one.messageOf(err) + "; nothing was changed", hint: one.hintOf(err)}
	var access *authring.KeyringAccessError
	var owner *authring.GrantOwnerError
	switch {
	case errors.As(err, &owner):
		f.message = fmt.Sprintf("the secret that %s has for %q is of the account %s, and not of %s; nothing was changed", i.title(), c.name, owner.Owner, owner.Named)
		f.hint = "Link anew: " + one.command("link")
	case errors.Is(err, authring.ErrRevoked), errors.Is(err, authring.ErrInvalidToken) && !errors.Is(err, authring.ErrAccountMismatch):
		f.message = fmt.Sprintf("%s does not take the grant of %s's %q: %v", i.providerTitle(), i.title(), c.name, err)
		f.hint = "It is of no use any more. Link anew: " + one.command("link")
	case errors.As(err, &access) && access.State != authring.Locked:
		return i.noPlace(&c, err)
	}
	return f
}
