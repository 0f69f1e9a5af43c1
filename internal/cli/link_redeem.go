package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/callback"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
)

// tries is how many codes the provider is asked about at a terminal.
const tries = 3

// redeem reads the code, has it verified and saves what it gives. pending is
// nil for a link that was begun by another command.
func (l *linking) redeem(ctx context.Context, pending *authring.PendingLink) error {
	if pending != nil {
		l.present(ctx, *pending)
	}
	for {
		answer, err := l.await(ctx)
		if err != nil {
			return err
		}
		err = l.verify(ctx, answer)
		if err == nil {
			err = l.save(ctx)
			l.tell(outcomeOf(err))
			return err
		}
		again, err := l.refused(ctx, err, answer)
		if !again {
			l.tell(callback.Failed)
			return err
		}
	}
}

func outcomeOf(err error) callback.Outcome {
	if err != nil {
		return callback.Failed
	}
	return callback.Linked
}

// showPage opens the page where the user approves, and prints its address.
func (l *linking) showPage(ctx context.Context, url string) {
	opened := false
	switch {
	case !l.route.open:
		l.say("Open this page in a browser and approve access:")
	case !l.mayOpen():
		l.say("A page for this link was opened in your browser a moment ago. Approve access there; if it leads nowhere, open this one:")
		opened = true
	case l.openBrowser(ctx, url):
		l.say("Approve access in your browser (opened), or open this page yourself:")
		opened = true
	default:
		l.say("Open this page in a browser and approve access:")
	}
	l.say("\n  %s\n", url)
	if !opened && l.receiver == nil {
		l.showQR(url, 7)
	}
}

// readCode reads what the user pastes.
func (l *linking) readCode(ctx context.Context, prompt string) (string, error) {
	if !l.stdinTerminal() {
		return l.readPiped(ctx)
	}
	return l.readPaste(ctx, prompt)
}

// verify redeems the code. When the run is interrupted the answer is awaited a
// moment longer: a grant that nobody knows of could not be given back.
func (l *linking) verify(ctx context.Context, answer brought) error {
	patient, cancel := l.patient(ctx)
	defer cancel()
	verify := l.session.VerifyAuthToken
	if answer.redirected {
		verify = l.session.VerifyRedirect
	}
	err := verify(patient, answer.text)
	if ctx.Err() == nil {
		return err
	}
	if err == nil {
		l.discard(ctx)
	}
	return errInterrupted
}

// refused explains why a code was not taken, and reports whether another one
// may be tried.
func (l *linking) refused(ctx context.Context, err error, answer brought) (bool, error) {
	var fault *provider.Error
	switch {
	case errors.Is(err, provider.ErrCodeRejected), errors.Is(err, provider.ErrVerifierMismatch):
		l.refusals++
		return l.offerFresh(ctx, err, l.asks() && l.refusals < tries)
	case errors.Is(err, provider.ErrAccessDenied), errors.Is(err, callback.ErrIssuer), errors.As(err, &fault) && fault.Status == 0 && fault.Code != "":
		// The answer was one, and ended the link that was begun.
		return false, l.refusedRedirect(err)
	case answer.redirected:
		return false, l.refusedRedirect(err)
	case errors.Is(err, provider.ErrNotACode):
		if l.asks() { // as often as it takes: the page is still good
			l.warn("%v", err)
			if err := l.renewPage(ctx); err != nil {
				return false, err
			}
			return true, nil
		}
		return false, &failure{
			err:  err,
			hint: "Nothing was changed; the page is still good. Give its code to: " + l.finishCommand(),
		}
	case errors.Is(err, provider.ErrTokenUnusable):
		return false, &failure{err: err, hint: "The code is spent, and another one would bring the same: this is for whoever runs the server."}
	case errors.Is(err, authring.ErrConnectionFailed):
		return false, &failure{
			err:  err,
			hint: "Nothing was lost. Within ten minutes of opening the page, try the same code again: " + l.finishCommand(),
		}
	default:
		return false, err
	}
}

// offerFresh begins anew after a code that is wrong or spent: its page is of
// no more use.
func (l *linking) offerFresh(ctx context.Context, refusal error, again bool) (bool, error) {
	l.tell(callback.Failed)
	fresh, err := l.beginPage(ctx)
	if err != nil {
		return false, errors.Join(refusal, err)
	}
	if again {
		l.warn("%v", refusal)
		l.say("Each page gives a code that is good once and for a few minutes; here is a new one.")
		l.present(ctx, fresh)
		return true, nil
	}
	if !l.json {
		l.say("A new page, for another try:\n\n  %s\n", fresh.AuthURL)
	}
	return false, &failure{
		err:   refusal,
		hint:  "Nothing was saved. Approve access on the new page, and give its code to: " + l.finishCommand(),
		extra: pendingObject(fresh),
	}
}

// save stores the verified credentials, or gives them back to the provider.
func (l *linking) save(ctx context.Context) error {
	saved, err := l.session.SaveCreds(ctx)
	for err != nil && ctx.Err() == nil && errors.Is(err, keyring.ErrDismissed) && l.asks() {
		l.warn("%s", l.messageOf(err))
		again, askErr := l.confirm(ctx, "Ask the keyring once more?")
		if !again || askErr != nil {
			break
		}
		saved, err = l.session.SaveCreds(ctx)
	}
	if err != nil {
		return l.notSaved(ctx, err)
	}
	return l.printSaved(ctx, saved)
}

// notSaved says what stands where after a failed save.
func (l *linking) notSaved(ctx context.Context, err error) error {
	rest := "nothing was linked"
	if rec := l.session.Record(); !rec.Empty() {
		rest = fmt.Sprintf("%q stays linked to %s", l.config, linkedTo(rec))
	}
	if l.discard(ctx) {
		rest += ", and the new grant was revoked at " + l.providerTitle()
	} else {
		rest += ", but the new grant stays valid at " + l.providerTitle()
	}
	if interrupted(ctx, err) {
		l.say("Interrupted: %s.", rest)
		return errInterrupted
	}
	hint := l.hintOf(err)
	if errors.Is(err, keyring.ErrLocked) || errors.Is(err, authring.ErrPlaintextRefused) {
		hint += "\nThen link again: " + l.command("link")
	}
	return &failure{err: err, message: l.messageOf(err) + "; " + rest, hint: hint}
}

// discard gives the new grant back and reports whether it could. The session
// reports a failure as an event.
func (l *linking) discard(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*grace)
	defer cancel()
	return l.session.DiscardCreds(ctx) == nil
}

// printSaved is the good end.
func (l *linking) printSaved(ctx context.Context, saved authring.Saved) error {
	if l.json {
		status := authring.Status{
			State: authring.Linked, Keyring: saved.Keyring, KeyringName: saved.KeyringName, Record: l.session.Record(),
		}
		status.Lifetime, _ = l.session.Lifetime()
		return l.printJSON(l.linkObject(l.config, status))
	}
	l.done("Linked to %s", linkedTo(l.session.Record()))
	l.say("  account  %s", printable(saved.AccountID))
	l.say("  keyring  %s", orID(saved.KeyringName, saved.Keyring))
	if saved.Plaintext {
		l.warn("The secret is stored as plain text: who reads that file can use the account.")
	}
	if len(saved.ScopeMissing) > 0 {
		l.warn("Not granted, although asked for: %s", strings.Join(saved.ScopeMissing, " "))
	}
	l.say("  Next: %s", l.command("token"))
	return nil
}

func pendingObject(pending authring.PendingLink) map[string]any {
	object := map[string]any{
		"auth_url":   pending.AuthURL,
		"expires_at": pending.Expires.UTC().Format(time.RFC3339),
	}
	if !pending.PageExpires.IsZero() {
		object["page_expires_at"] = pending.PageExpires.UTC().Format(time.RFC3339)
	}
	if pending.RedirectURI != "" {
		object["redirect_uri"] = pending.RedirectURI
	}
	return object
}
