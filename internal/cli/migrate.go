package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
)

type migrateOptions struct {
	to             string
	all            bool
	allowPlaintext bool
}

const migrateLong = `Move the secret of a link to another keyring: it is written there and read
back, the record is switched, and the earlier item is deleted. The link stays
what it is; the provider is not spoken to. authring keyrings shows what there
is to move to.

A command that is killed in between leaves a link that can be used. Run it
again: it ends what was begun, as does every other command that uses the link.
A link that is there already is left alone.

Plain text can be read by any program of yours and any backup: you are asked,
or say --allow-plaintext. Grants of earlier links that wait to be revoked stay
in the keyring where they are.

With --all every link of the app is moved. One that cannot be moved does not
keep the others from it; the exit status is then that of the first failure.`

const migrateExample = `  authring migrate --to kwallet
  authring migrate --to secret-service --all`

func (p *program) migrateCommand() *cobra.Command {
	var opts migrateOptions
	cmd := p.newCommand(&cobra.Command{
		Use:   "migrate --to ID [options]",
		Short: "Move the secret of a link to another keyring",
		RunE:  func(cmd *cobra.Command, _ []string) error { return p.runMigrate(cmd, opts) },
	}, page{
		long: migrateLong, example: migrateExample,
		exits: []int{
			exitOK, exitNotLinked, exitLocked, exitUnavailable, exitUsage, exitInternal, exitTemporary, exitInterrupted,
		},
	})
	flags := cmd.Flags()
	flags.StringVar(&opts.to, "to", "", "the keyring `ID` to move to")
	flags.BoolVar(&opts.all, "all", false, "move all links")
	flags.BoolVar(&opts.allowPlaintext, "allow-plaintext", false, "accept plain text")
	p.addWaitFlag(cmd)
	return cmd
}

// migratedObject is a moved link in JSON output. Its members are promises.
type migratedObject struct {
	Config      string `json:"config"`
	AccountID   string `json:"account_id"`
	Moved       bool   `json:"moved"`
	From        string `json:"from"`
	Keyring     string `json:"keyring"`
	KeyringName string `json:"keyring_name"`
	Leftover    string `json:"leftover,omitempty"`
}

func (p *program) runMigrate(cmd *cobra.Command, opts migrateOptions) error {
	switch {
	case opts.to == "":
		return usage("migrate", "name the keyring to move to with --to; authring keyrings lists them")
	case opts.all && p.configAsked:
		return usage("migrate", "--all moves every link; leave out -c")
	}
	if err := checkKeyringID("migrate", opts.to); err != nil {
		return err
	}
	wait, err := p.waitOptions(cmd)
	if err != nil {
		return err
	}
	outlivePipes()
	p.nameKeyring(opts.to)
	m := &moving{program: p, to: keyring.ID(opts.to), plaintext: opts.allowPlaintext, wait: wait}
	if !opts.all {
		object, err := m.move(cmd.Context(), p.config)
		if err != nil {
			return err
		}
		if p.json {
			return p.printJSON(object)
		}
		return nil
	}
	return m.moveAll(cmd.Context())
}

// moving is one run of the verb.
type moving struct {
	*program
	to        keyring.ID
	plaintext bool // was agreed to
	wait      []authring.Option
}

// moveAll moves every link, and ends with the code of the first that failed.
func (m *moving) moveAll(ctx context.Context) error {
	names, err := m.configNames()
	if err != nil {
		return err
	}
	if len(names) == 0 && !m.json {
		m.say("No account is linked. Link one: %s", m.command("link"))
	}
	objects := make([]any, 0, len(names))
	code := exitOK
	for i, name := range names {
		if ctx.Err() != nil {
			return m.stopped(objects, names[i:])
		}
		object, err := m.move(ctx, name)
		if err == nil {
			objects = append(objects, object)
			continue
		}
		if ctx.Err() != nil {
			return m.stopped(objects, names[i:])
		}
		failed := m.errorObject(err)
		failed["config"] = name
		objects = append(objects, failed)
		if code == exitOK {
			code = kindOf(err).code
		}
		if !m.json {
			m.sayError(m.stderr.paint(red, "✗"), err)
		}
	}
	if m.json {
		if err := m.printJSON(objects); err != nil {
			return err
		}
	}
	return exitSilently(code)
}

// stopped says which links an interrupted run has left where they were.
func (m *moving) stopped(objects []any, rest []string) error {
	if !m.json {
		for i, name := range rest {
			rest[i] = strconv.Quote(name)
		}
		m.say("Not moved: %s", strings.Join(rest, ", "))
		return errInterrupted
	}
	for _, name := range rest {
		object := m.errorObject(errInterrupted)
		object["config"] = name
		objects = append(objects, object)
	}
	if err := m.printJSON(objects); err != nil {
		return err
	}
	return exitSilently(exitInterrupted)
}

// move moves one link and says so. Its errors are worded for that link.
func (m *moving) move(ctx context.Context, config string) (migratedObject, error) {
	one := *m.program // its messages name the link
	one.config = config
	s, err := one.open(config, append(slices.Clone(m.wait), authring.WithPlaintextConsent(m.consent))...)
	if err != nil {
		return migratedObject{}, one.worded(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Layout().CheckKeyring(m.to); err != nil {
		return migratedObject{}, usage("migrate", "%v", err)
	}
	if !hasKeyring(s, m.to) {
		return migratedObject{}, notHere(m.to)
	}
	// A move that has begun is given the time to end whole.
	patient, cancel := m.patient(ctx)
	defer cancel()
	moved, err := s.Migrate(patient, m.to)
	if err != nil {
		return migratedObject{}, one.notMoved(err)
	}
	object := migratedObject{
		Config: config, AccountID: moved.AccountID, Moved: !moved.Already, From: string(moved.From),
		Keyring: string(moved.To), KeyringName: printable(moved.ToName),
	}
	where := orID(moved.ToName, moved.To)
	if moved.Already {
		m.done("%q is in %s already", config, where)
		return object, nil
	}
	m.done("Moved %q from %s to %s", config, orID(moved.FromName, moved.From), where)
	if moved.Plaintext {
		m.warn("The secret is stored as plain text: who reads that file can use the account.")
	}
	if moved.Leftover != nil {
		object.Leftover = printable(moved.Leftover.Error())
		m.say("  It is not used any more. Delete it there by hand: service %s, user name config:%s:%s",
			printable(s.Layout().Service()), printable(config), printable(moved.AccountID))
	}
	return object, nil
}

// notMoved says what kept a link where it is.
func (p *program) notMoved(err error) error {
	message, hint := p.messageOf(err)+"; nothing was changed", p.hintOf(err)
	var own *authring.KeyringAccessError
	switch {
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled), errors.Is(err, authring.ErrNotLinked):
		return p.worded(err)
	case errors.Is(err, authring.ErrPlaintextRefused):
		message = fmt.Sprintf("plain text was not allowed; %q stays where it is", p.config)
		hint = "Name another keyring (authring keyrings lists them), or accept plain text with --allow-plaintext."
	case errors.As(err, &own), errors.Is(err, keyring.ErrLocked):
	case errors.Is(err, keyring.ErrUnavailable):
		hint = "See how the keyrings stand: authring keyrings"
	}
	return &failure{err: err, message: message, hint: hint}
}

// worded gives an error the words that it has for the link in use.
func (p *program) worded(err error) error {
	return &failure{err: err, message: p.messageOf(err), hint: p.hintOf(err)}
}

// consent asks, once, whether secrets may become plain text.
func (m *moving) consent(ctx context.Context, _ authring.PlaintextRequest) (bool, error) {
	if m.plaintext || !m.asks() {
		return m.plaintext, nil
	}
	m.say("The secret would be stored as plain text. Whatever can read that file, any program of\nyours and any backup, could then use your account.")
	allowed, err := m.confirm(ctx, "Store it as plain text?")
	m.plaintext = allowed && err == nil
	return m.plaintext, err
}
