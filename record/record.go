// Package record keeps what is known of a link in a file, never a secret: the
// account, the keyring that holds its token, and what a person wants to see.
// It also says where the files of an app are, and keeps two notes beside them:
// the link that was begun, and the grants that are still to be revoked.
//
// The same record can live in Maestral's own files, so that both programs
// share one link: see [NewLayout].
//
// # Files
//
// A record is an INI file that people may edit. Keys and sections that are not
// of this package are kept byte for byte. A file that does not parse is
// reported as a [*FileError] with its line, and never overwritten.
//
// # Concurrency
//
// A [Layout] is a value, safe for concurrent use. [Layout.Save] and
// [Layout.Clear] replace files atomically and do not lock: who reads a record
// in order to change it holds the lock of [Layout.LockPath] meanwhile.
package record

import (
	"time"

	"github.com/authring/authring/keyring"
)

// The kinds of token that a keyring holds for a link.
const (
	Legacy  = "legacy"  // an access token that does not expire
	Offline = "offline" // a refresh token
)

// DefaultProvider is the provider of a record that names none.
const DefaultProvider = "dropbox"

// Record is what is known of a link.
type Record struct {
	// AccountID is the account's identifier at the provider. Without one
	// there is no link.
	AccountID string
	// Keyring is the kind of keyring that holds the token. It is empty when
	// none is recorded, and may be one that this version does not know.
	Keyring keyring.ID
	// TokenAccessType is [Legacy], [Offline], or what a newer version wrote.
	// A record with an account and without a type is read as [Legacy].
	TokenAccessType string
	Provider        string // [DefaultProvider] when the file names none
	AppKey          string // the client identifier that the grant belongs to
	Scope           string // granted scopes, separated by spaces
	ScopeMissing    string // those that were asked for and not granted, likewise
	Email           string
	DisplayName     string
	Linked          time.Time // when the link was made; zero if unknown
	// Revoked is set once the provider has said that the grant is void.
	Revoked *Revocation
}

// Revocation is the provider's word that a grant is void.
type Revocation struct {
	At     time.Time // zero if unknown
	Reason string    // a phrase for people; may be empty
	// Fingerprint names the refresh token that was refused; it may be empty.
	// Another token in the keyring means that the link was made anew since.
	Fingerprint string
}

// Empty reports whether there is no link.
func (r Record) Empty() bool { return r.AccountID == "" }

// UserName is the user name of a link's item in the keyring.
func UserName(config, accountID string) string {
	return "config:" + config + ":" + accountID
}
