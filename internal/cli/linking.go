package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/callback"
	"github.com/authring/authring/keyring"
)

// linking is one run of the verb.
type linking struct {
	*program
	linkOptions
	session *authring.Session
	// plaintext is set once storing as plain text was agreed to.
	plaintext bool

	route    route
	turn     *authring.LinkTurn
	refusals int                // of codes, by the provider
	opened   bool               // a browser was opened by this process
	receiver *callback.Receiver // nil where the code is pasted
	answers  <-chan string      // of the receiver
	expires  time.Time          // of the page whose answer is awaited
	ends     string             // the redirect URI of that page; empty: it shows a code
	pageEnds time.Time          // when the provider forgets a page that was not opened; zero: it does not
}

func (p *program) runLink(cmd *cobra.Command, opts linkOptions) error {
	ctx := cmd.Context()
	if err := opts.check(p); err != nil {
		return err
	}
	if opts.appKey == "" {
		opts.appKey = opts.clientID
	}
	p.linkProvider, p.linkFlags = opts.provider, opts.repeated()
	wait, err := p.waitOptions(cmd)
	if err != nil {
		return err
	}
	outlivePipes()
	p.nameKeyring(opts.keyring)
	l := &linking{program: p, linkOptions: opts}
	l.plaintext = opts.allowPlaintext || opts.keyring == string(keyring.Plaintext)
	s, err := p.open(p.config, append(wait, l.sessionOptions()...)...)
	if err != nil {
		return err
	}
	l.session = s
	defer func() { _ = s.Close() }()
	if l.keyring != "" {
		if err := s.Layout().CheckKeyring(keyring.ID(l.keyring)); err != nil {
			return usage("link", "%v", err)
		}
	}
	if !l.begin && !l.finish {
		if l.route, err = l.chooseRoute(); err != nil {
			return err
		}
	}
	err = l.run(ctx)
	p.retryAfter(ctx, s, err)
	return err
}

func (l *linking) run(ctx context.Context) error {
	if err := l.session.AwaitKeyring(ctx); err != nil {
		return err
	}
	if l.finish {
		if err := l.checkBegun(ctx); err != nil {
			return err
		}
		return l.redeem(ctx, nil)
	}
	if goOn, err := l.checkState(ctx); err != nil || !goOn {
		return err
	}
	if err := l.checkKeyring(ctx); err != nil {
		return err
	}
	if l.begin {
		return l.printBegun(ctx)
	}
	goOn, err := l.takeTurn(ctx)
	if err == nil && goOn {
		err = l.lead(ctx)
	}
	l.endTurn(ctx, err)
	return err
}

// lead takes the user through the link.
func (l *linking) lead(ctx context.Context) error {
	if l.route.device {
		return l.linkByDevice(ctx)
	}
	if err := l.listen(); err != nil {
		return err
	}
	defer l.closeReceiver(ctx)
	pending, err := l.beginPage(ctx)
	if err != nil {
		return err
	}
	return l.redeem(ctx, &pending)
}

func (l *linking) sessionOptions() []authring.Option {
	options := []authring.Option{authring.WithPlaintextConsent(l.consent)}
	if l.appKey != "" {
		options = append(options, authring.WithAppKey(l.appKey))
	}
	if len(l.scope) > 0 {
		options = append(options, authring.WithScope(l.scope...))
	}
	if l.keyring != "" {
		options = append(options, authring.WithKeyring(keyring.ID(l.keyring)))
	}
	if l.switchAccount {
		options = append(options, authring.WithSwitchAccount())
	}
	return options
}

// checkState reports whether there is something to link.
func (l *linking) checkState(ctx context.Context) (bool, error) {
	if l.relink {
		return true, nil
	}
	status, err := l.session.Status(ctx)
	if err != nil {
		return false, err
	}
	switch status.State {
	case authring.Unlinked:
		return true, nil
	case authring.SecretMissing, authring.Revoked:
		l.warn("%q was linked to %s: %s", l.config, linkedTo(status.Record), reason(status))
		l.say("  Linking it again.")
		l.relink = true
		return true, nil
	case authring.Linked:
		l.done("%q is linked already, to %s", l.config, linkedTo(status.Record))
		l.say("  To link it again: %s", l.command("link", "--relink"))
		l.say("  To link another account: %s", l.named("NAME", "link"))
		if l.json {
			return false, l.printJSON(l.linkObject(l.config, status))
		}
		return false, nil
	default:
		return false, &failure{
			err:     status.Reason,
			message: fmt.Sprintf("%q is linked already, and %s", l.config, l.messageOf(status.Reason)),
			hint:    l.hintOf(status.Reason) + "\nTo link it again, with its secret in another keyring: " + l.command("link", "--relink", "--keyring", "ID"),
		}
	}
}

// printBegun is what --begin ends with.
func (l *linking) printBegun(ctx context.Context) error {
	if len(l.redirects) > 0 {
		l.route.pasted = l.redirects[0]
	}
	pending, err := l.beginPage(ctx)
	if err != nil {
		return err
	}
	if l.json {
		return l.printJSON(pendingObject(pending))
	}
	if _, err := fmt.Fprintln(l.stdout, pending.AuthURL); err != nil {
		return err
	}
	l.sayUntil(pending)
	brings := "its code"
	if pending.RedirectURI != "" {
		brings = "the address that the browser ends at, which begins with " + pending.RedirectURI + ","
	}
	l.say("Approve access on that page, and then, before %s, give %s to: %s",
		pending.Expires.Local().Format("15:04"), brings, l.finishCommand())
	return nil
}
