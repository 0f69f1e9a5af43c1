package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/system"
)

// keyringIDs are the keyrings that can be named.
func keyringIDs() []keyring.ID {
	return []keyring.ID{
		keyring.Keychain, keyring.SecretService, keyring.KWallet,
		keyring.WinCred, keyring.Sealed, keyring.Plaintext,
	}
}

// checkKeyring makes sure, before the user is sent to a page, that something
// can take the secret.
func (l *linking) checkKeyring(ctx context.Context) error {
	rec := l.session.Record()
	if l.keyring == "" && !rec.Empty() && rec.Keyring != "" {
		return l.checkUsed(ctx, rec.Keyring)
	}
	choice, err := l.session.ChooseKeyring(ctx)
	if id := keyring.ID(l.keyring); id != "" && choice.Keyring == nil {
		return notHere(id)
	}
	if err != nil {
		return &failure{
			err:     err,
			message: noKeyring(choice.Passed, err),
			hint:    "Start one of them and try again, or name another with --keyring; authring keyrings shows how they stand.",
			extra:   passedObject(choice.Passed),
		}
	}
	if choice.Keyring.ID() != keyring.Plaintext || l.plaintext {
		return l.openNow(ctx, choice.Keyring)
	}
	allowed, err := l.askPlaintext(ctx, choice.Passed, choice.Status.Name, nil)
	if err != nil {
		return err
	}
	if !allowed {
		message := noKeyring(choice.Passed, nil) + "\nPlain text would be the last resort, and was not allowed. Nothing was changed."
		sealed := []string{"--keyring", "sealed", "--key-file", "FILE"}
		if l.asks() { // the question said the first, and a passphrase can be asked for
			message = "plain text was not allowed, and no keyring can take the secret; nothing was changed"
			sealed = sealed[:2]
		}
		var half []string
		if l.finish {
			half = []string{"--finish"}
		}
		return &failure{
			err:     authring.ErrPlaintextRefused,
			message: message,
			hint: "Start or unlock a keyring and try again, or use an encrypted file: " + l.command("link", append(half, sealed...)...) +
				"\nTo accept plain text: " + l.command("link", append(half, "--allow-plaintext")...),
			extra: passedObject(choice.Passed),
		}
	}
	return nil
}

// checkBegun is checkKeyring for a link that another command began: what would
// not take the secret is found before the code is used up.
func (l *linking) checkBegun(ctx context.Context) error {
	if _, err := l.session.Layout().LoadPending(l.config, time.Now()); err != nil {
		return nil // which is told when the code is there
	}
	err := l.checkKeyring(ctx)
	if err == nil || interrupted(ctx, err) {
		return err
	}
	told := failure{err: err}
	if f := (*failure)(nil); errors.As(err, &f) {
		told = *f
	}
	told.hint = l.hintOf(err) + "\nThe code was not used: it can be given again."
	return &told
}

// openNow has a keyring that asks here, at the terminal, ask before the page is
// shown and not when the code was given already.
func (l *linking) openNow(ctx context.Context, k keyring.Keyring) error {
	u, ok := k.(keyring.Unlocker)
	if !ok || l.begin {
		return nil
	}
	prompt := keyring.NoPrompt
	if l.asks() && l.waitKeyring == 0 {
		prompt = keyring.AskUser
	}
	return u.Unlock(ctx, prompt)
}

// hasKeyring reports whether this build has a keyring.
func hasKeyring(s *authring.Session, id keyring.ID) bool {
	if _, ok := system.Find(id); ok {
		return true
	}
	return slices.ContainsFunc(s.Keyrings(), func(k keyring.Keyring) bool { return k.ID() == id })
}

// notHere is the error of naming a keyring that this build has not.
func notHere(id keyring.ID) error {
	return &failure{
		err:     keyring.ErrAbsent,
		message: fmt.Sprintf("the keyring %s is not for this system: %s", id, elsewhere(id)),
		hint:    "See what there is: authring keyrings",
	}
}

// elsewhere says where a keyring is that this build has not.
func elsewhere(id keyring.ID) string {
	switch id {
	case keyring.Keychain:
		return "it is the Keychain of macOS"
	case keyring.WinCred:
		return "it is the Credential Manager of Windows"
	case keyring.SecretService, keyring.KWallet:
		return "it is a keyring of Linux and other Unix desktops"
	default:
		return "this build does not have it"
	}
}

// checkUsed looks at the keyring of the link that is being replaced: it gets
// the new secret too.
func (l *linking) checkUsed(ctx context.Context, id keyring.ID) error {
	hint := "To keep the secret elsewhere, name another keyring: " + l.command("link", "--relink", "--keyring", "ID")
	k, err := l.session.Keyring(ctx)
	if err != nil {
		return &failure{err: err, hint: hint}
	}
	status := keyring.Probe(ctx, k)
	if status.Availability.Usable() {
		return l.openNow(ctx, k)
	}
	return &failure{
		err: keyring.ErrUnavailable,
		message: fmt.Sprintf("the keyring that holds %q cannot be used: %s (%s)",
			l.config, orID(status.Name, id), orWord(status.Detail, status.Availability.String())),
		hint: hint,
	}
}

// consent is asked by the session when nothing but plain text takes a secret
// that was just approved.
func (l *linking) consent(ctx context.Context, request authring.PlaintextRequest) (bool, error) {
	if l.plaintext {
		return true, nil
	}
	return l.askPlaintext(ctx, request.Passed, "", request.Reason)
}

// askPlaintext reports whether the user accepts plain text.
func (l *linking) askPlaintext(ctx context.Context, passed []keyring.Probed, place string, why error) (bool, error) {
	if !l.asks() {
		return false, nil
	}
	if why != nil && !errors.Is(why, keyring.ErrAbsent) {
		l.warn("%v", why)
	} else {
		l.say("%s %s", l.stderr.paint(yellow, "!"), printableLines(noKeyring(passed, nil)))
	}
	if place != "" {
		place = " (" + printable(place) + ")"
	}
	l.say("The secret could be stored as plain text%s. Whatever can read that file,\nany program of yours and any backup, could then use your account. An encrypted file would be better:\n%s", place, indent(l.command("link", "--keyring", "sealed"), "  "))
	allowed, err := l.confirm(ctx, "Store it as plain text?")
	l.plaintext = allowed && err == nil
	return l.plaintext, err
}

// noKeyring says why each keyring was passed over.
func noKeyring(passed []keyring.Probed, err error) string {
	if len(passed) == 0 && err != nil {
		return "the keyring cannot be used: " + err.Error()
	}
	var text strings.Builder
	text.WriteString("no keyring can take the secret:")
	for _, one := range passed {
		id := one.Keyring.ID()
		if id == keyring.Plaintext && err == nil {
			continue
		}
		fmt.Fprintf(&text, "\n  %-14s  %s", id, orWord(one.Status.Detail, one.Status.Availability.String()))
	}
	return text.String()
}

// passedObject is noKeyring for programs.
func passedObject(passed []keyring.Probed) map[string]any {
	list := make([]keyringObject, 0, len(passed))
	for _, one := range passed {
		list = append(list, newKeyringObject(one, false))
	}
	return map[string]any{"passed": list}
}

// orWord is text, or word when there is none.
func orWord(text, word string) string {
	if text == "" {
		return word
	}
	return printable(text)
}

// orID is what people call a keyring, or its id.
func orID(name string, id keyring.ID) string { return orWord(name, string(id)) }
