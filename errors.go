package authring

import (
	"errors"
	"fmt"

	"github.com/authring/authring/provider"
)

// Errors of a session. Test with errors.Is; the text of an error says more
// and never holds a secret. Errors of a keyring come as [*KeyringAccessError].
var (
	// ErrInvalidToken: the provider refused a code or a token. The finer
	// errors of package provider (code spent, verifier mismatch, ...) wrap
	// it. Begin the link anew.
	ErrInvalidToken = provider.ErrInvalidToken

	// ErrConnectionFailed: the provider could not be asked, or gave no
	// answer that can be used (network, TLS, server fault, rate limit,
	// captive portal). Nothing was lost; try again later.
	ErrConnectionFailed = provider.ErrConnectionFailed

	// ErrNotLinked: the config name has no account. Link it.
	ErrNotLinked = errors.New("not linked")

	// ErrSecretMissing: an account is linked and the keyring, which
	// answered, holds no secret for it. Relink, or restore the keyring.
	ErrSecretMissing = errors.New("the keyring holds no secret for this link")

	// ErrRevoked: the provider said, twice, that the grant is no longer
	// valid. It is an [ErrInvalidToken]. Relink.
	ErrRevoked = fmt.Errorf("the grant was revoked: %w", ErrInvalidToken)

	// ErrInDoubt: the provider's refresh tokens are for a single use, and
	// the answers to two uses of this one never came. It is not used again,
	// since that could end the grant. Relink.
	ErrInDoubt = errors.New("it is not known whether the refresh token was used up")

	// ErrNoPendingLink: a code was given, and no link was begun, or more
	// than ten minutes ago. Begin one.
	ErrNoPendingLink = errors.New("no link was begun")

	// ErrNoCredentials: there is nothing to save. Verify a code first.
	ErrNoCredentials = errors.New("no credentials to save")

	// ErrAccountMismatch: the approved account is not the linked one.
	// Nothing was saved. Approve with the linked account, use another config
	// name, or allow it with [WithSwitchAccount].
	ErrAccountMismatch = errors.New("another account is linked")

	// ErrPlaintextRefused: only plain text could take the secret, and
	// consent to that was not given. Nothing was saved.
	ErrPlaintextRefused = errors.New("the secret would be stored as plain text")

	// ErrMissingScope: not all of the scope that was asked for was granted.
	// Relink with it. It is an [ErrInvalidToken].
	ErrMissingScope = provider.ErrMissingScope

	// ErrCannotNarrow: no access token can be had that is limited to the
	// scope that was asked for. Ask for another, or without [Scope].
	ErrCannotNarrow = errors.New("the access token cannot be limited to that scope")

	// ErrNoClientID: there is no client identifier (RFC 6749 section 2.2) to
	// link with. Give one ([WithAppKey]).
	ErrNoClientID = errors.New("no client identifier was given")

	// ErrNoClientSecret: the provider authenticates its clients, and there is
	// no client secret. Give one ([WithClientSecret]).
	ErrNoClientSecret = errors.New("there is no client secret")

	// ErrValidityTooLong: the provider's access tokens do not live as long
	// as was asked. Ask for less.
	ErrValidityTooLong = errors.New("access tokens do not live that long")
)

// ResultCode gives the seed's result codes: 0 for nil (Success), 1 for
// [ErrInvalidToken], 2 for [ErrConnectionFailed], and -1 for an error that is
// neither, which the seed raised as an exception.
func ResultCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrInvalidToken):
		return 1
	case errors.Is(err, ErrConnectionFailed):
		return 2
	default:
		return -1
	}
}

// KeyringAccessError reports that the keyring of a link could not be used.
// State tells how the link stands: [Locked], [Unavailable] or
// [SecretMissing]. The cause unwraps to the outcomes of package keyring
// (keyring.ErrLocked, keyring.ErrDismissed, ...) or to [ErrSecretMissing].
type KeyringAccessError struct {
	Op     string // what could not be done: "load the token"
	Config string // the config name
	State  State
	Err    error
}

// Error says what could not be done, for which link, and why.
func (e *KeyringAccessError) Error() string {
	return fmt.Sprintf("could not %s of %q: %v", e.Op, e.Config, e.Err)
}

// Unwrap returns the cause.
func (e *KeyringAccessError) Unwrap() error { return e.Err }
