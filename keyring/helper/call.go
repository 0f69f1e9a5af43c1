package helper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

const (
	// callBound is how long a call may take beside its prompt.
	callBound = 20 * time.Second
	// endBound is how long a killed helper's output is waited for.
	endBound = time.Second
	// maxOutput bounds what a helper may answer, in bytes.
	maxOutput = 256 << 10
	// maxMessage bounds what is shown of an error message, in characters.
	maxMessage = 200
)

// noCredentials is what helpers answer for an item that they have not
// (credentials.NewErrCredentialsNotFound in Docker's package).
const noCredentials = "credentials not found in native keychain"

// noUsernames is what pass's helper answers, before the address, where a store
// that failed has left an empty folder.
const noUsernames = "no usernames for "

var (
	// errLocked: the helper says that something must be unlocked.
	errLocked = errors.New("it must be unlocked")
	// errTooMuch: the answer is longer than an answer can be.
	errTooMuch = errors.New("its answer is too long")
	// errSilent: the bound of a call has passed.
	errSilent = errors.New("it did not answer in time")
)

// lockedTexts are in the error messages of helpers that could not ask, or were
// refused: gpg's, which pass uses.
var lockedTexts = []string{"gpg: decryption failed", "gpg: public key decryption failed", "no pinentry", "operation cancelled"}

// call runs the helper. hidden is what must not be in an error; the rest of
// what goes in and out never is.
func (k *Keyring) call(caller context.Context, prompt keyring.Prompt, verb string, input []byte, hidden secret.Secret) ([]byte, error) {
	ctx, cancel := context.WithTimeout(caller, callBound+time.Duration(max(prompt, 0)))
	defer cancel()
	path, err := exec.LookPath(program + k.name)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, verb)
	cmd.Env = environ(prompt)
	cmd.Stdin = bytes.NewReader(input)
	out, messages := &limited{most: maxOutput}, &limited{most: maxOutput}
	cmd.Stdout, cmd.Stderr = out, messages
	cmd.WaitDelay = endBound
	isolate(cmd, prompt > keyring.NoPrompt)
	err = cmd.Run()
	switch {
	case caller.Err() != nil:
		return nil, caller.Err()
	case ctx.Err() != nil:
		return nil, errSilent
	case out.full:
		return nil, errTooMuch
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return out.data.Bytes(), nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return nil, fmt.Errorf("could not run it: %w", err)
	}
	text := out.data.String() + "\n" + messages.data.String()
	if strings.Contains(text, noCredentials) || strings.Contains(text, noUsernames) {
		return nil, errNoItem
	}
	err = fmt.Errorf("it failed: %s", message(text, exit, hidden))
	for _, locked := range lockedTexts {
		if strings.Contains(strings.ToLower(text), locked) {
			return nil, fmt.Errorf("%w: %w", errLocked, err)
		}
	}
	return nil, err
}

// environ is the environment of the helper. Where nobody may be asked it has
// no display and no terminal to ask at, and pass has gpg use only keys that are
// unlocked.
func environ(prompt keyring.Prompt) []string {
	env := os.Environ()
	if prompt > keyring.NoPrompt {
		return env
	}
	const passOptions = "PASSWORD_STORE_GPG_OPTS"
	env = slices.DeleteFunc(env, func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains([]string{"DISPLAY", "WAYLAND_DISPLAY", "GPG_TTY", passOptions}, name)
	})
	return append(env, passOptions+"="+strings.TrimSpace(os.Getenv(passOptions)+" --pinentry-mode=error"))
}

// likeSecret finds what could be a secret: a helper that fails may say what it
// holds.
var likeSecret = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[A-Za-z0-9_~+=-]*[0-9][A-Za-z0-9_~+=-]*|[A-Za-z0-9_~+=-]{24,}`)
})

// shortestSecret is how long a word with a digit in it is to be taken for a
// secret, in bytes.
const shortestSecret = 16

// message is the first thing that a helper said, fit to be shown. One that may
// hold a secret is not, and no word that looks like one.
func message(text string, exit *exec.ExitError, hidden secret.Secret) string {
	status := exit.ProcessState.String()
	value := hidden.Reveal()
	if value != "" && (strings.Contains(text, value) || strings.Contains(text, wrap(value))) || strings.ContainsAny(text, "{}") {
		return status
	}
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	text = likeSecret().ReplaceAllStringFunc(text, func(word string) string {
		if len(word) < shortestSecret {
			return word
		}
		return "***"
	})
	if text == "" {
		return status
	}
	if runes := []rune(text); len(runes) > maxMessage {
		text = string(runes[:maxMessage]) + "…"
	}
	return text
}

// limited keeps what is written up to a bound, and then takes no more.
type limited struct {
	data bytes.Buffer
	most int
	full bool
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.data.Len()+len(p) > l.most {
		l.full = true
		return 0, errTooMuch
	}
	return l.data.Write(p)
}
