package keyring

import (
	"errors"
	"fmt"
)

// The outcomes of a keyring call other than success. Test with errors.Is.
var (
	// ErrNotFound: the keyring answered, and holds no such item. It says
	// nothing of whether an account is linked.
	ErrNotFound = errors.New("no such item in the keyring")

	// ErrLocked: the item may be there; the keyring must be unlocked first.
	// Worth another try after the user acted.
	ErrLocked = errors.New("the keyring is locked")

	// ErrDismissed: the user was asked, or could not be asked, and the
	// request was turned down. It is an [ErrLocked].
	ErrDismissed = fmt.Errorf("the request to unlock was dismissed: %w", ErrLocked)

	// ErrUnavailable: the keyring cannot be used now. Worth another try
	// later, or with another keyring.
	ErrUnavailable = errors.New("the keyring is unavailable")

	// ErrAbsent: there is no such keyring on this machine or in this
	// session. It is an [ErrUnavailable].
	ErrAbsent = fmt.Errorf("there is no such keyring here: %w", ErrUnavailable)
)

// Error is how a keyring call failed. It never holds a secret.
type Error struct {
	Op      string // "read", "write", "delete"
	Keyring ID
	Name    string // as people call it; may be empty
	Kind    error  // one of the outcomes above
	Detail  string // a phrase for people; may be empty
	Err     error  // what lies below; may be nil
}

// Error names the keyring, what was tried, and why it failed.
func (e *Error) Error() string {
	name := e.Name
	if name == "" {
		name = string(e.Keyring)
	}
	text := "could not " + e.Op + " " + name + ": "
	switch {
	case e.Detail != "":
		text += e.Detail
	case e.Kind != nil:
		text += e.Kind.Error()
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the outcome and the cause.
func (e *Error) Unwrap() []error {
	errs := make([]error, 0, 2)
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}
