package cli

import (
	"context"
	"time"

	"github.com/authring/authring"
)

// present shows the page of a link, and until when it can be opened.
func (l *linking) present(ctx context.Context, pending authring.PendingLink) {
	l.pageEnds = pending.PageExpires
	l.ends = pending.RedirectURI
	l.showPage(ctx, pending.AuthURL)
	if l.receiver == nil && l.ends != "" {
		l.say("The browser then ends at an address that begins with %s, and may show an error", l.ends)
		l.say("there, which does no harm: copy the whole address from its address bar.")
	}
	l.sayUntil(pending)
	if !l.pageEnds.IsZero() && l.asks() {
		l.say("After that, press Enter here for another one.")
	}
}

// prompt asks for what the page leaves in the user's hands.
func (l *linking) prompt() string {
	switch {
	case l.receiver != nil:
		return "Waiting for the browser. Or paste the code, or the address that it ends at: "
	case l.ends != "":
		return "That address, or the code in it: "
	case l.finish:
		return "Code from " + l.providerTitle() + ", or the address that the browser ended at: "
	}
	return "Code from " + l.providerTitle() + ": "
}

// sayUntil says how long a page is good that the provider soon forgets.
func (l *linking) sayUntil(pending authring.PendingLink) {
	if !pending.PageExpires.IsZero() {
		l.say("The page has to be opened before %s.", pending.PageExpires.Local().Format("15:04:05"))
	}
}

// renewPage shows another page of the same link once the provider has forgotten
// the one before.
func (l *linking) renewPage(ctx context.Context) error {
	if l.pageEnds.IsZero() || time.Now().Before(l.pageEnds) {
		return nil
	}
	pending, err := l.beginPage(ctx)
	if err != nil {
		return err
	}
	l.present(ctx, pending)
	return nil
}

// finishCommand spells the command that takes the code, with what it cannot
// know from the link that was begun.
func (l *linking) finishCommand() string {
	flags := []string{"--finish"}
	if l.keyring != "" {
		flags = append(flags, "--keyring", l.keyring)
	}
	if l.allowPlaintext {
		flags = append(flags, "--allow-plaintext")
	}
	if l.switchAccount {
		flags = append(flags, "--switch-account")
	}
	return l.command("link", flags...)
}
