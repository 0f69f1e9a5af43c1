package cli

import (
	"context"
	"errors"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

// The exit codes. They are promises: none changes its meaning.
const (
	exitOK          = 0
	exitInvalid     = 1
	exitConnection  = 2
	exitNotLinked   = 3
	exitLocked      = 4
	exitUnavailable = 5
	exitRevoked     = 6
	exitUsage       = 64
	exitInternal    = 70
	exitTemporary   = 75
	exitInterrupted = 130
)

// exitMeaning says what an exit code tells, in help and man pages.
func exitMeaning(code int) string {
	switch code {
	case exitOK:
		return "Success."
	case exitInvalid:
		return "The code or token was refused, or belongs to another account."
	case exitConnection:
		return "The server could not be asked, or gave no usable answer. Nothing was lost: try again."
	case exitNotLinked:
		return "No account is linked under this config name."
	case exitLocked:
		return "The keyring is locked, or access to it was denied."
	case exitUnavailable:
		return "The keyring cannot be used, or holds no secret for this link."
	case exitRevoked:
		return "The grant was revoked, or can be used no more: link again."
	case exitUsage:
		return "The command was not understood."
	case exitTemporary:
		return "The keyring was not up in time (--wait-keyring): try again later."
	case exitInterrupted:
		return "Interrupted, or the question was answered with no. Nothing was left half done."
	default:
		return "Something else failed, such as reading or writing a file."
	}
}

// kind is a class of errors: its name in JSON output, and its exit code.
type kind struct {
	name string
	code int
}

// errInterrupted stands for Ctrl-C, and for a question answered with no.
var errInterrupted = errors.New("interrupted")

// kindOf is the one place that maps errors to exit codes. The order counts: a
// revoked grant is also an invalid token, and a refused plain-text file is told
// by why it would have been needed.
func kindOf(err error) kind {
	is := func(target error) bool { return errors.Is(err, target) }
	var quiet silent
	var usage *usageError
	var file *record.FileError
	var name *record.NameError
	switch {
	case err == nil:
		return kind{"", exitOK}
	case errors.As(err, &quiet):
		return kind{"", int(quiet)}
	case errors.As(err, &usage):
		return kind{"usage", exitUsage}
	case errors.As(err, &name):
		return kind{"name", exitUsage}
	case is(authring.ErrValidityTooLong):
		return kind{"validity-too-long", exitUsage}
	case is(authring.ErrCannotNarrow):
		return kind{"cannot-narrow", exitUsage}
	case is(errInterrupted), is(context.Canceled):
		return kind{"interrupted", exitInterrupted}
	case errors.As(err, &file):
		return kind{"broken-record", exitInternal}
	case is(authring.ErrKeyringNotReady):
		return kind{"keyring-not-ready", exitTemporary}
	case is(authring.ErrRevoked):
		return kind{"revoked", exitRevoked}
	case is(authring.ErrInDoubt):
		return kind{"in-doubt", exitRevoked}
	case is(authring.ErrNotLinked):
		return kind{"not-linked", exitNotLinked}
	case is(authring.ErrAccountMismatch):
		return kind{"account-mismatch", exitInvalid}
	case is(authring.ErrNoPendingLink):
		return kind{"no-pending-link", exitInvalid}
	case is(keyring.ErrDismissed):
		return kind{"dismissed", exitLocked}
	case is(keyring.ErrLocked):
		return kind{"locked", exitLocked}
	case is(authring.ErrSecretMissing):
		return kind{"secret-missing", exitUnavailable}
	case is(authring.ErrPlaintextRefused):
		return kind{"plaintext-refused", exitUnavailable}
	case is(keyring.ErrUnavailable):
		return kind{"unavailable", exitUnavailable}
	case is(authring.ErrInvalidToken):
		return kind{"invalid-token", exitInvalid}
	case is(authring.ErrConnectionFailed):
		return kind{"connection-failed", exitConnection}
	default:
		return kind{"internal", exitInternal}
	}
}

// stateCode is the exit code of a verb that reports a state.
func stateCode(state authring.State) int {
	switch state {
	case authring.Linked:
		return exitOK
	case authring.Locked:
		return exitLocked
	case authring.Unavailable, authring.SecretMissing:
		return exitUnavailable
	case authring.Revoked:
		return exitRevoked
	default:
		return exitNotLinked
	}
}

// exitSilently ends the run with a code when everything was said already.
func exitSilently(code int) error {
	if code == exitOK {
		return nil
	}
	return silent(code)
}

type silent int

func (s silent) Error() string { return exitMeaning(int(s)) }
