package authring

// State is how a link stands. The six are never folded into one another: a
// secret that cannot be read, or is not there, does not make a link unlinked.
type State int

const (
	// Unlinked: the record names no account.
	Unlinked State = iota
	// Linked: account and secret are there.
	Linked
	// Locked: the keyring must be unlocked before the secret can be read.
	Locked
	// Unavailable: the keyring cannot be used now, or is none of this build.
	Unavailable
	// SecretMissing: the keyring answered and holds no secret of this link.
	SecretMissing
	// Revoked: the provider said that the grant is no longer valid.
	Revoked
)

// String returns the state as JSON output has it.
func (s State) String() string {
	switch s {
	case Linked:
		return "linked"
	case Locked:
		return "locked"
	case Unavailable:
		return "unavailable"
	case SecretMissing:
		return "secret-missing"
	case Revoked:
		return "revoked"
	default:
		return "unlinked"
	}
}

// TokenAccessType is the kind of grant a link has.
type TokenAccessType string

const (
	// Legacy: one long-lived access token, no refresh token.
	Legacy TokenAccessType = "legacy"
	// Offline: a refresh token, and short-lived access tokens from it.
	Offline TokenAccessType = "offline"

	// DefaultTokenAccessType is what new links ask for.
	DefaultTokenAccessType = Offline
)
