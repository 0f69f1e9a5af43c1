package cli

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/internal/proxy"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/provider/registry"
	"github.com/authring/authring/record"
)

// failure is an error in the tool's own words.
type failure struct {
	err     error          // tells the kind
	message string         // for people; empty: the text of err
	hint    string         // what to do about it; empty: the usual for the kind
	extra   map[string]any // further members of the JSON object
}

func (f *failure) Error() string {
	if f.message == "" {
		return f.err.Error()
	}
	return f.message
}

func (f *failure) Unwrap() error { return f.err }

// usageError is a command that was not understood.
type usageError struct {
	verb    string // empty: no verb
	message string
}

func (u *usageError) Error() string { return u.message }

func usage(verb, format string, args ...any) error {
	return &usageError{verb: verb, message: fmt.Sprintf(format, args...)}
}

// report tells the user of an error and returns its exit code.
func (p *program) report(err error) int {
	k := kindOf(err)
	var quiet silent
	if errors.As(err, &quiet) {
		return k.code
	}
	if !p.json {
		p.sayError(p.stderr.paint(red, "authring")+":", err)
		return k.code
	}
	if err := p.printJSON(p.errorObject(err)); err != nil {
		p.say("authring: %v", err)
	}
	return k.code
}

// sayError tells people of an error, with its cure.
func (p *program) sayError(mark string, err error) {
	p.say("%s %s", mark, printableLines(p.messageOf(err)))
	if hint := printableLines(p.hintOf(err)); hint != "" {
		p.say("%s", indent(hint, "  "))
	}
}

// errorObject is an error in JSON output.
func (p *program) errorObject(err error) map[string]any {
	k := kindOf(err)
	object := map[string]any{
		"error": k.name, "message": printableLines(p.messageOf(err)), "exit_code": k.code, "hint": printableLines(p.hintOf(err)),
	}
	var f *failure
	if errors.As(err, &f) {
		maps.Copy(object, f.extra)
	}
	return object
}

// messageOf says what is wrong, in one sentence where that is enough.
func (p *program) messageOf(err error) string {
	var f *failure
	var access *authring.KeyringAccessError
	switch {
	case errors.As(err, &f) && f.message != "":
		return f.message
	case errors.Is(err, errInterrupted):
		return errInterrupted.Error()
	case errors.Is(err, agentclient.ErrNoAgent):
		return agentclient.ErrNoAgent.Error()
	case errors.Is(err, authring.ErrNotLinked):
		return fmt.Sprintf("no account is linked under the config name %q", p.config)
	case errors.Is(err, authring.ErrKeyringNotReady):
		return p.notReadyMessage(err)
	case errors.As(err, &access):
		return accessMessage(access)
	default:
		return err.Error()
	}
}

// accessMessage says how the keyring of a link stands.
func accessMessage(access *authring.KeyringAccessError) string {
	why := ""
	var k *keyring.Error
	if errors.As(access, &k) {
		why = " (" + k.Error() + ")"
	}
	switch access.State {
	case authring.Locked:
		if errors.Is(access, keyring.ErrDismissed) {
			return fmt.Sprintf("access to the keyring that holds %q was denied%s", access.Config, why)
		}
		return fmt.Sprintf("the keyring that holds %q is locked%s", access.Config, why)
	case authring.SecretMissing:
		return fmt.Sprintf("an account is linked as %q, and its keyring holds no secret for it", access.Config)
	default:
		return fmt.Sprintf("the keyring that holds %q cannot be used%s", access.Config, why)
	}
}

// hintOf names the command that cures an error.
func (p *program) hintOf(err error) string {
	var f *failure
	var u *usageError
	var file *record.FileError
	var name *record.NameError
	var description *registry.FileError
	var answer *agentclient.AgentError
	switch is := func(target error) bool { return errors.Is(err, target) }; {
	case errors.As(err, &f) && f.hint != "":
		return f.hint
	case errors.As(err, &answer):
		return answer.Hint
	case errors.As(err, &u):
		if u.verb == "" {
			return "See: authring --help"
		}
		return "See: authring " + u.verb + " --help"
	case is(errInterrupted):
		return ""
	case errors.As(err, &description):
		return "The file was left as it is. Repair it, or remove it: " +
			p.providerVerb("remove", strings.TrimSuffix(filepath.Base(description.Path), ".json"))
	case errors.As(err, &name):
		return "Choose another name, such as work."
	case errors.As(err, &file):
		return "The file was left as it is. Repair it, or move it away, and try again."
	case is(authring.ErrValidityTooLong):
		return "Ask for less with --min-valid; 5 minutes is the default."
	case is(authring.ErrCannotNarrow):
		return "Ask for scopes that were granted (" + p.command("status") + "), or leave out --scope."
	case is(authring.ErrKeyringNotReady):
		return "Try again later. To be asked to unlock it, leave out --" + waitFlag + "."
	case is(authring.ErrLinkUnderWay):
		return "Try again later. At a terminal, authring link waits for the other process."
	case is(authring.ErrLinkFailedLately):
		return "At a terminal it can be made at any time: " + p.command("link")
	case is(authring.ErrRevoked), is(authring.ErrInDoubt):
		return "Link again: " + p.command("link", "--relink")
	case is(authring.ErrNotLinked):
		return "Link one: " + p.command("link")
	case is(authring.ErrNoClientID):
		return "Register the program with the provider, as an installed application, and give its client id with --client-id."
	case is(authring.ErrNoClientSecret):
		return p.clientSecretHint()
	case is(provider.ErrRedirectNeedsSecret):
		return "Link by a code for another device: " + p.command("link", "--way", "device") + "\n" + p.clientSecretHint("--client-auth", "post")
	case is(provider.ErrNoRedirect):
		return "Register a redirect URI with a port, such as http://127.0.0.1:8080/, and say which: " + p.providerChange("--redirect-port", "8080")
	case is(authring.ErrNoPendingLink):
		return "Begin one: " + p.command("link", "--begin")
	case is(authring.ErrAccountMismatch):
		return "Approve with the linked account, or link the other one under a name of its own: " +
			p.named("NAME", "link") + "\nTo replace the linked account: " + p.command("link", "--relink", "--switch-account")
	case isSealed(err) && is(keyring.ErrLocked) && !sealedFileExists():
		return "Name another key for it: --key-file (made if it is missing), --identity, --passphrase-file or --passphrase-fd."
	case isSealed(err) && is(keyring.ErrLocked):
		return "Give the key that it was sealed with: --identity, --key-file, --passphrase-file or --passphrase-fd, or a passphrase at a terminal."
	case is(keyring.ErrLocked) && !isAwaited(err):
		return "Unlock it and try again."
	case is(keyring.ErrLocked):
		return "Unlock it and try again, or wait for it: " + p.waiting()
	case is(authring.ErrSecretMissing):
		return "Restore the keyring, or link again: " + p.command("link", "--relink")
	case is(authring.ErrPlaintextRefused):
		return "Start or unlock a keyring (authring keyrings lists them), or accept plain text with --allow-plaintext."
	case is(keyring.ErrUnavailable) && !isAwaited(err):
		return "See what is there: authring keyrings\nTo keep the secret in another keyring: " + p.command("link", "--relink", "--keyring", "ID")
	case is(keyring.ErrUnavailable):
		return "See what is there: authring keyrings\nIf it is only not up yet: " + p.waiting() + "\nTo keep the secret in another keyring: " + p.command("link", "--relink", "--keyring", "ID")
	case is(provider.ErrInvalidClient):
		return p.invalidClientHint()
	case is(provider.ErrMissingScope):
		return "Link again, with the scope: " + p.command("link", "--relink", "--scope", "SCOPE")
	case is(provider.ErrSuspended):
		return "See what the provider says about the account, and try again."
	case is(proxy.ErrNoHosts):
		return "Say where its tokens may go: " + p.providerChange("--host", "HOST")
	case is(provider.ErrRequestRefused):
		return "What it is asked for is told by: " + p.providerVerb("show", p.providerOf(p.config))
	case is(authring.ErrInvalidToken):
		return "Begin again: " + p.command("link", "--relink")
	case is(authring.ErrConnectionFailed):
		return "Check the connection and try again."
	default:
		return ""
	}
}

// isAwaited reports whether an error is of a keyring that can come up by itself:
// no waiting mends a file or a program.
func isAwaited(err error) bool {
	var k *keyring.Error
	return !errors.As(err, &k) || k.Keyring != keyring.Sealed && k.Keyring != keyring.Plaintext && !strings.HasPrefix(string(k.Keyring), "helper:")
}

// isSealed reports whether an error is of the sealed file.
func isSealed(err error) bool {
	var k *keyring.Error
	return errors.As(err, &k) && k.Keyring == keyring.Sealed
}
