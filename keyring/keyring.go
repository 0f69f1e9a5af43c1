// Package keyring is the boundary between a session and the place where its
// long-lived secret rests: what a keyring can do, how it answers, and which of
// several is to be used.
//
// Each backend is a package below this one. They know nothing of OAuth, and
// nothing of each other. A program may bring its own: it passes the suite of
// package keyringtest.
package keyring

import (
	"context"
	"time"

	"github.com/authring/authring/secret"
)

// ID names a kind of keyring in records and on the command line. The values
// are promises: they never change their meaning.
type ID string

// The identifiers of the backends, in the order of preference.
const (
	Keychain      ID = "keychain"       // macOS Keychain
	SecretService ID = "secret-service" // the freedesktop.org Secret Service
	KWallet       ID = "kwallet"        // KDE's KWallet over its own D-Bus interface
	WinCred       ID = "wincred"        // Windows Credential Manager
	Sealed        ID = "sealed"         // an encrypted file
	Plaintext     ID = "plaintext"      // a file that anyone who can read it can use
)

// Key names one secret: the service that owns it, and the user name within
// that service.
type Key struct {
	Service string
	User    string
}

// Prompt says how long a keyring may ask its user to unlock it. The question
// is withdrawn when that time, or the context, has ended.
type Prompt time.Duration

const (
	// NoPrompt never asks: a locked keyring answers [ErrLocked] at once.
	NoPrompt Prompt = 0
	// AskUser leaves a person enough time to find a password.
	AskUser Prompt = Prompt(2 * time.Minute)
)

// Keyring stores secrets by key. Methods are safe for concurrent use, return
// soon after ctx has ended, and answer with an [*Error] whose kind is one of
// the outcomes of this package.
type Keyring interface {
	// ID tells which kind of keyring this is.
	ID() ID

	// Get returns the secret of key. A keyring that answered and holds no
	// such item returns [ErrNotFound]; a locked one is never reported so.
	Get(ctx context.Context, key Key, prompt Prompt) (secret.Secret, error)

	// Set stores the secret durably, in place of an earlier one of the same
	// key. After an error the earlier secret is intact, or, where the
	// outcome cannot be known (the keyring vanished while it wrote), one of
	// the two is.
	Set(ctx context.Context, key Key, value secret.Secret, prompt Prompt) error

	// Delete removes the secret of key, and of that key only. Nothing to
	// remove is [ErrNotFound].
	Delete(ctx context.Context, key Key, prompt Prompt) error
}

// Prober is implemented by keyrings that can tell how they stand without
// being used. Probe prompts nobody, opens, unlocks, creates and starts
// nothing.
type Prober interface {
	Probe(ctx context.Context) Status
}

// Availability is how a keyring stands when it is looked at, not touched.
type Availability int

const (
	// Absent: there is no such keyring here (no bus, no provider, another
	// operating system).
	Absent Availability = iota
	// Unavailable: it should be here and cannot be used (switched off, no
	// collection, files that others may read, it does not answer).
	Unavailable
	// Locked: it can be used once its user has unlocked it.
	Locked
	// Startable: it is not running; the bus starts it at the first use, and
	// it may then turn out to be locked.
	Startable
	// Ready: it can be used now, without a question.
	Ready
)

// String returns the availability in words, as JSON output has it.
func (a Availability) String() string {
	switch a {
	case Unavailable:
		return "unavailable"
	case Locked:
		return "locked"
	case Startable:
		return "startable"
	case Ready:
		return "ready"
	default:
		return "absent"
	}
}

// Usable reports whether a secret could be stored, perhaps after a prompt.
func (a Availability) Usable() bool { return a >= Locked }

// Status is what a probe saw.
type Status struct {
	Availability Availability
	// Name is what a person calls this keyring: "GNOME Keyring",
	// "KeePassXC", the path of a file.
	Name string
	// Detail says in a phrase why it stands as it does, for people.
	Detail string
	// Preferred is set where the desktop's own choice should go before the
	// usual order (KDE without its Secret Service prefers KWallet).
	Preferred bool
}

// Probe asks k how it stands; a keyring that is no [Prober] is taken as ready.
func Probe(ctx context.Context, k Keyring) Status {
	if p, ok := k.(Prober); ok {
		return p.Probe(ctx)
	}
	return Status{Availability: Ready, Name: string(k.ID())}
}
