// Package fault is the one place that maps errors of the library to names and
// exit codes: those of the command line tool, which the agent gives as well.
package fault

import (
	"context"
	"errors"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/provider/registry"
	"github.com/authring/authring/record"
)

// The exit codes. They are promises: none changes its meaning.
const (
	Invalid     = 1
	Connection  = 2
	NotLinked   = 3
	Locked      = 4
	Unavailable = 5
	Revoked     = 6
	Ending      = 7
	Usage       = 64
	NoAgent     = 69
	Internal    = 70
	Temporary   = 75
	Refused     = 77
	Interrupted = 130
)

// Of names the kind of an error and its exit code. The order counts: a revoked
// grant is also an invalid token, and a refused plain-text file is told by why
// it would have been needed.
func Of(err error) (name string, code int) {
	is := func(target error) bool { return errors.Is(err, target) }
	var file *record.FileError
	var description *registry.FileError
	var badName *record.NameError
	switch {
	case errors.As(err, &badName):
		return "name", Usage
	case is(authring.ErrValidityTooLong):
		return "validity-too-long", Usage
	case is(context.Canceled):
		return "interrupted", Interrupted
	case errors.As(err, &file):
		return "broken-record", Internal
	case is(authring.ErrKeyringNotReady):
		return "keyring-not-ready", Temporary
	case is(authring.ErrLinkUnderWay):
		return "link-under-way", Temporary
	case is(authring.ErrLinkFailedLately):
		return "link-failed-lately", Temporary
	case is(authring.ErrRevoked):
		return "revoked", Revoked
	case is(authring.ErrInDoubt):
		return "in-doubt", Revoked
	case is(authring.ErrNotLinked):
		return "not-linked", NotLinked
	case is(authring.ErrAccountMismatch):
		return "account-mismatch", Invalid
	case is(registry.ErrUnknown):
		return "unknown-provider", Usage
	case errors.As(err, &description):
		return "broken-provider", Internal
	case is(authring.ErrNoClientID):
		return "no-client-id", Usage
	case is(provider.ErrNoRedirect):
		return "no-redirect", Usage
	case is(authring.ErrNoClientSecret), is(provider.ErrRedirectNeedsSecret):
		return "no-client-secret", Unavailable
	case is(authring.ErrNoPendingLink):
		return "no-pending-link", Invalid
	case is(keyring.ErrDismissed):
		return "dismissed", Locked
	case is(keyring.ErrLocked):
		return "locked", Locked
	case is(authring.ErrSecretMissing):
		return "secret-missing", Unavailable
	case is(authring.ErrPlaintextRefused):
		return "plaintext-refused", Unavailable
	case is(keyring.ErrUnavailable):
		return "unavailable", Unavailable
	case is(authring.ErrCannotNarrow):
		return "cannot-narrow", Usage
	case is(provider.ErrDeviceExpired):
		return "not-approved", Invalid
	case is(provider.ErrRequestRefused):
		return "request-refused", Invalid
	case is(authring.ErrInvalidToken):
		return "invalid-token", Invalid
	case is(authring.ErrConnectionFailed):
		return "connection-failed", Connection
	default:
		return "internal", Internal
	}
}
