// Package wincred keeps secrets in the Windows Credential Manager, as generic
// credentials of this user on this machine, encrypted with the user's logon.
//
// # Names
//
// Python's keyring library (its WinVaultKeyring) and this package find what the
// other wrote. A credential has one name, its target, so the library keeps the
// first user of a service under the target "service", and others under
// "user@service". Here a secret is read where Python would read it; it is
// written in place where it is, and a new one under "user@service", which
// disturbs no other. The value is UTF-16, little endian.
//
// Windows does not tell upper from lower case in a target. The exact user name
// is in the credential: a secret is not handed out, overwritten or deleted
// under one that differs. Of services that differ in case only, one may hold a
// user.
//
// # Long secrets
//
// A credential holds 2,560 bytes. A longer secret is split into parts, which
// are credentials of their own, and the credential with the secret's name says
// which parts they are. New parts are written first, under new names; then the
// head is replaced, in one step; then the old parts go. A reader sees the old
// secret or the new one. Whoever is killed between leaves parts that nothing
// names, which the next write or deletion of the same secret removes.
//
// Python reads the head's text for such a secret. The limit is 1,280
// characters (those beyond the basic plane count twice); a refresh token has
// about 60.
package wincred

import (
	"context"
	"errors"
	"time"

	"github.com/authring/authring/internal/bounded"
	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

const (
	// callBound is how long Windows may take for one secret; it takes
	// milliseconds.
	callBound = 10 * time.Second
	// lockWait bounds the wait for other writers, within callBound.
	lockWait = 5 * time.Second
	// lockBound is how long another writer is waited for, within that.
	lockBound = callBound / 2
	// mostCalls bounds what a Credential Manager that hangs costs.
	mostCalls = 8
)

// Keyring is the Credential Manager of this Windows user. It is safe for
// concurrent use, by several processes too. On other systems every call is
// [keyring.ErrAbsent].
type Keyring struct {
	vault vault
	lock  func() (string, error) // the path of the writers' lock
	calls *bounded.Calls
}

// New returns the Credential Manager of this user. It touches nothing yet.
func New() *Keyring {
	return &Keyring{vault: systemVault{}, lock: lockPath, calls: bounded.NewCalls(mostCalls)}
}

// ID returns [keyring.WinCred].
func (k *Keyring) ID() keyring.ID { return keyring.WinCred }

// Probe asks for a credential that nobody has.
func (k *Keyring) Probe(ctx context.Context) keyring.Status {
	status := keyring.Status{Availability: keyring.Ready, Name: name}
	_, err := do(ctx, k, func(o *operation) ([]string, error) { return o.list(partPrefix(keyring.Key{})) })
	if err != nil {
		o := outcomeOf(ctx, err)
		status.Availability, status.Detail = keyring.Unavailable, o.Error()
		if o.kind == keyring.ErrAbsent {
			status.Availability = keyring.Absent
		}
	}
	return status
}

// Get returns the secret of key. It waits for no lock; Windows asks nobody.
func (k *Keyring) Get(ctx context.Context, key keyring.Key, _ keyring.Prompt) (secret.Secret, error) {
	value, err := do(ctx, k, func(o *operation) (secret.Secret, error) {
		if err := checkKey(key); err != nil {
			return secret.Secret{}, err
		}
		return o.get(key)
	})
	if err != nil {
		return secret.Secret{}, fail(ctx, "read", err)
	}
	return value, nil
}

// Set stores the secret, which is a text of at most 320 KiB. Another user name
// that differs in upper and lower case only keeps its place: the error is
// [keyring.ErrUnavailable].
func (k *Keyring) Set(ctx context.Context, key keyring.Key, value secret.Secret, _ keyring.Prompt) error {
	return k.change(ctx, "write", key, func(o *operation) error { return o.set(key, value) })
}

// Delete removes the secret of key, and what killed writers left of it.
func (k *Keyring) Delete(ctx context.Context, key keyring.Key, _ keyring.Prompt) error {
	return k.change(ctx, "delete", key, func(o *operation) error { return o.remove(key) })
}

// change runs edit while nobody else of this package writes.
func (k *Keyring) change(ctx context.Context, op string, key keyring.Key, edit func(*operation) error) error {
	_, err := do(ctx, k, func(o *operation) (struct{}, error) {
		return struct{}{}, k.locked(o, key, op == "delete", edit)
	})
	if err != nil {
		return fail(ctx, op, err)
	}
	return nil
}

func (k *Keyring) locked(o *operation, key keyring.Key, needed bool, edit func(*operation) error) error {
	if err := checkKey(key); err != nil {
		return err
	}
	// Tried before a lock file is made: where the answer is no, none is.
	if _, err := o.find(key); err != nil && (err != errNoItem || needed && !o.hasParts(key)) {
		return err
	}
	path, err := k.lock()
	if err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(o.ctx, lockBound)
	defer cancel()
	lock, err := filelock.Acquire(waiting, path)
	if errors.Is(err, context.DeadlineExceeded) && o.ctx.Err() == nil {
		return errWriter
	}
	if err != nil {
		return err
	}
	// Also when nobody waits for us any longer: a head that is written late
	// must find its parts.
	defer func() { _ = lock.Release() }()
	return edit(o)
}

// do runs f within callBound. Windows' functions cannot be interrupted: f may
// go on when do has returned.
func do[T any](ctx context.Context, k *Keyring, f func(*operation) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	return bounded.Do(ctx, k.calls, func() (T, error) { return f(&operation{ctx, k.vault}) })
}
