// Package secretservice keeps secrets in the desktop's own keyring over D-Bus:
// GNOME Keyring, KeePassXC, KDE's wallet, or whoever else provides the
// freedesktop.org Secret Service
// (https://specifications.freedesktop.org/secret-service-spec/latest/).
//
// Items lie in the default collection with the attributes, the label and the
// content type that Python's keyring library writes, so that it, secret-tool
// and this package read and replace each other's. Other programs leave out an
// attribute and so make a second item of the same name: of several, the one
// modified last is read, and the others are removed when a secret is written.
//
// What it does not promise: the session is encrypted against those who listen
// on the bus, not authenticated. Whoever owns the bus name
// org.freedesktop.secrets is the Secret Service; D-Bus has no means to tell an
// impostor, which would have to run as the same user.
package secretservice

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/authring/authring/internal/sessionbus"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// callBound is how long the service may take for one call that asks nobody.
// gnome-keyring rewrites its whole file for an item, which takes most of a
// second with 10,000 of them.
const callBound = 15 * time.Second

// idleBound is how long a connection is kept for the next call.
const idleBound = 30 * time.Second

// Keyring is the Secret Service of this user's session. It is safe for
// concurrent use, and implements [keyring.Keyring] and [keyring.Prober].
//
// The first call connects; the connection, and the session key agreed on, are
// kept for the next calls and given up after a while without any. A bus or a
// provider that was started anew in between is found again.
type Keyring struct {
	address func() (string, error)
	bound   time.Duration

	dialing chan struct{} // held by the one that connects
	mu      sync.Mutex
	link    *link
}

// Option changes how a [Keyring] is made.
type Option func(*Keyring)

// WithBusAddress finds the bus by another rule than that of the session bus.
// The address has the form of DBUS_SESSION_BUS_ADDRESS.
func WithBusAddress(address func() (string, error)) Option {
	return func(k *Keyring) { k.address = address }
}

// WithCallBound changes how long the service may take for one call that asks
// nobody, which is 15 seconds.
func WithCallBound(bound time.Duration) Option {
	return func(k *Keyring) { k.bound = bound }
}

// New returns the Secret Service of this session. Nothing is touched before
// the first call.
func New(opts ...Option) *Keyring {
	k := &Keyring{address: sessionbus.Address, bound: callBound, dialing: make(chan struct{}, 1)}
	for _, opt := range opts {
		opt(k)
	}
	return k
}

// ID returns [keyring.SecretService].
func (k *Keyring) ID() keyring.ID { return keyring.SecretService }

// Get returns the secret of key.
func (k *Keyring) Get(ctx context.Context, key keyring.Key, prompt keyring.Prompt) (secret.Secret, error) {
	var value []byte
	err := k.run(ctx, "read", key, func(ctx context.Context, l *link) error {
		var err error
		value, err = l.get(ctx, key, prompt)
		return err
	})
	if err != nil {
		return secret.Secret{}, err
	}
	return secret.New(string(value)), nil
}

// Set stores the secret of key, in place of all others of that key.
func (k *Keyring) Set(ctx context.Context, key keyring.Key, value secret.Secret, prompt keyring.Prompt) error {
	return k.run(ctx, "write", key, func(ctx context.Context, l *link) error {
		return l.set(ctx, key, []byte(value.Reveal()), prompt)
	})
}

// Delete removes the secret of key.
func (k *Keyring) Delete(ctx context.Context, key keyring.Key, prompt keyring.Prompt) error {
	return k.run(ctx, "delete", key, func(ctx context.Context, l *link) error {
		return l.delete(ctx, key, prompt)
	})
}

// run does one operation on the connection at hand, and once more on a new
// one if the kept one had gone stale. All operations may be repeated.
func (k *Keyring) run(ctx context.Context, op string, key keyring.Key, do func(context.Context, *link) error) error {
	if err := check(key); err != nil {
		return &keyring.Error{Op: op, Keyring: k.ID(), Name: name, Err: err}
	}
	for attempt := 1; ; attempt++ {
		l, fresh, err := k.acquire(ctx)
		if err != nil {
			return k.failure(ctx, op, nil, err)
		}
		err = do(ctx, l)
		l.settle(ctx)
		k.release(l, err)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !isWorthAnother(err, fresh, attempt) {
			return k.failure(ctx, op, l, err)
		}
	}
}

// isWorthAnother reports whether an operation that failed may do better on
// another connection.
func isWorthAnother(err error, fresh bool, attempt int) bool {
	switch {
	case errors.Is(err, errLeadingZero):
		return attempt < 5
	case isStale(err):
		return attempt == 1 && !fresh
	default:
		return false
	}
}

// check refuses names that cannot be attributes. An empty one would match the
// items of others.
func check(key keyring.Key) error {
	for _, name := range []string{key.Service, key.User} {
		switch {
		case name == "":
			return errors.New("the service and the user name must not be empty")
		case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
			// D-Bus specification, "Basic types": valid UTF-8 without NUL.
			return errors.New("the service and the user name must be valid UTF-8 without NUL")
		}
	}
	return nil
}

func (l *link) delete(ctx context.Context, key keyring.Key, prompt keyring.Prompt) error {
	found, err := l.find(ctx, key, prompt)
	if err != nil {
		return err
	}
	if len(found.items) == 0 {
		return &keyring.Error{Kind: keyring.ErrNotFound}
	}
	for _, item := range found.items {
		if err := l.remove(ctx, item.path, prompt); err != nil && !isGone(err) {
			return err
		}
	}
	return nil
}
