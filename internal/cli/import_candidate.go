package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

// candidate is one link that another program has.
type candidate struct {
	name   string // what that program calls it
	config string // the link to be made
	who    string // for people; may be empty
	where  string // for people: where the secret is
	into   string // for people: where it would go
	target keyring.ID
	rec    record.Record
	err    error // why it cannot be imported
	// exists: the config name has this link already, and it stays.
	exists bool
	// replaces: the config name has a link, which gets this grant instead.
	replaces bool
	// grant reads the secret, and may ask for the keyring to be unlocked.
	grant func(context.Context) (authring.Grant, error)
}

// look finds what stands in the way of a link: a config name that is none or is
// linked, and a keyring that cannot be used. It asks nobody.
func (i *importing) look(ctx context.Context, c *candidate) {
	if c.err != nil {
		return
	}
	s, err := i.open(c.config, i.sessionOptions()...)
	if err != nil {
		c.err = err
		return
	}
	defer func() { _ = s.Close() }()
	there := s.Record()
	switch {
	case there.Empty():
	case c.rec.AccountID != "" && there.AccountID != c.rec.AccountID && !i.importOptions.switchAccount:
		c.err = &failure{
			err:     authring.ErrAccountMismatch,
			message: fmt.Sprintf("%q is linked to %s, another account", c.config, linkedTo(there)),
			hint:    "Give the import another name: " + i.again(c.name, "-c", "NAME"),
		}
	case !i.importOptions.relink:
		c.exists = true
	default:
		c.replaces = true
	}
	if c.err == nil && !c.exists {
		c.err = i.destine(ctx, s, c)
	}
}

// destine finds the keyring that would get the secret.
func (i *importing) destine(ctx context.Context, s *authring.Session, c *candidate) error {
	id := keyring.ID(i.importOptions.keyring)
	if id != "" && !hasKeyring(s, id) {
		return notHere(id)
	}
	var chosen keyring.Probed
	if used := s.Record().Keyring; id == "" && used != "" {
		k, err := s.Keyring(ctx)
		if err != nil {
			return i.noPlace(c, err)
		}
		chosen = keyring.Probed{Keyring: k, Status: keyring.Probe(ctx, k)}
	} else {
		choice, err := s.ChooseKeyring(ctx)
		if err != nil {
			return i.noPlace(c, err)
		}
		chosen = choice.Probed
	}
	c.target, c.into = chosen.Keyring.ID(), orID(chosen.Status.Name, chosen.Keyring.ID())
	switch {
	case c.target == keyring.Plaintext && !i.plaintext && !c.replaces:
		c.into = "plain text, for want of a keyring, if you allow that (--allow-plaintext)"
	case chosen.Status.Availability == keyring.Locked:
		c.into += ", which is locked"
	}
	return nil
}

// noPlace words the error of a keyring that would have to take the secret.
func (i *importing) noPlace(c *candidate, err error) error {
	why := err
	var access *authring.KeyringAccessError
	if errors.As(err, &access) {
		why = access.Err
	}
	return &failure{
		err:     err,
		message: fmt.Sprintf("the keyring for %q cannot be used: %v; nothing was changed", c.config, why),
		hint:    "See how the keyrings stand, and name one with --keyring: authring keyrings",
	}
}

// tell says what would be done.
func (i *importing) tell(c candidate) {
	what := fmt.Sprintf("%s's %q", i.title(), c.name)
	if c.who != "" {
		what += ", " + c.who
	}
	switch {
	case c.err != nil:
		i.sayError(i.stderr.paint(red, "✗")+" "+printable(what)+":", c.err)
	case c.exists:
		i.say("%s %s: %q is linked already, and stays as it is", i.stderr.paint(dim, "-"), printable(what), c.config)
		i.say("  To replace its grant: %s", printable(i.again(c.name, "--relink")))
	default:
		i.say("%s %s: becomes the link %q", i.stderr.paint(bold, "+"), printable(what), c.config)
		i.say("  its secret is copied from %s", printable(c.where))
		i.say("  to %s", c.into)
		if c.replaces {
			i.say("  the grant that %q has now is revoked, unless it is the same", c.config)
		}
	}
}
