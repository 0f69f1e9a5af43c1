// Package keychain keeps secrets in the Keychain of macOS, as generic passwords
// in the user's default keychain, which is "login" unless somebody changed
// that. It needs no cgo, so that a program for macOS can be built anywhere.
//
// # Names
//
// Python's keyring library (its macOS backend) and this package find what the
// other wrote: service and account are the key's service and user, and the
// data is the secret. On reading, updating and deleting, all keychains of the
// user's search list are searched.
//
// # Who may read an item
//
// macOS notes with an item which programs may read it without a question. For
// a new item that is the program that stored it, as its code signature names
// it. An item is updated in place and never deleted and added again, so that
// programs which its user always allows stay allowed.
//
// Any other program makes macOS ask, with the choices Always Allow, Allow and
// Deny: also this one, when it reads what Python stored, or after a rebuild
// without a certificate, which is a new program to macOS.
//
// # Questions
//
// Each call is tried first with questions switched off, by a switch that is one
// for the whole process (SecKeychainSetUserInteractionAllowed). Only a call
// that may ask, and has to, is made again with the switch as the program has
// it. One question is open at a time, and calls that may not ask are
// [keyring.ErrLocked] meanwhile.
//
// macOS has no way to take a question back. When the time for it is over the
// call returns, and the dialog stays. A late answer unlocks the keychain, or
// allows the access; a write that was begun then still takes place.
//
// This package has run against stand-ins on Linux. It has not run on macOS.
package keychain

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/authring/authring/internal/bounded"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

const (
	// callBound is how long macOS may take for a call that asks nobody; it
	// takes milliseconds.
	callBound = 10 * time.Second
	// mostCalls bounds what a keychain that hangs costs.
	mostCalls = 8
)

// Keyring is the Keychain of this user. It is safe for concurrent use, by
// several processes too. On other systems every call is [keyring.ErrAbsent].
type Keyring struct {
	process func() (*process, error)
	calls   *bounded.Calls
}

// New returns the Keychain of this user. It touches nothing yet.
func New() *Keyring { return open(systemProcess) }

func open(p func() (*process, error)) *Keyring {
	return &Keyring{process: p, calls: bounded.NewCalls(mostCalls)}
}

// ID returns [keyring.Keychain].
func (k *Keyring) ID() keyring.ID { return keyring.Keychain }

// Probe looks whether the default keychain is there, and open. Whether macOS
// would ask before it hands out an item cannot be seen so.
func (k *Keyring) Probe(ctx context.Context) keyring.Status {
	status := keyring.Status{Availability: keyring.Ready, Name: name}
	open, err := k.look(ctx)
	switch {
	case err != nil:
		o := outcomeOf(ctx, false, err)
		status.Availability, status.Detail = keyring.Unavailable, o.Error()
		if o.kind == keyring.ErrAbsent {
			status.Availability = keyring.Absent
		}
	case !open:
		status.Availability, status.Detail = keyring.Locked, "macOS asks for its password when it is used"
	}
	return status
}

// look asks nobody, whatever the switch.
func (k *Keyring) look(ctx context.Context) (open bool, err error) {
	p, err := k.process()
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	return bounded.Do(ctx, k.calls, (&operation{ctx, p}).unlocked)
}

// Get returns the secret of key. What is not found while the keychain is locked
// is looked for again once it is open.
func (k *Keyring) Get(ctx context.Context, key keyring.Key, prompt keyring.Prompt) (secret.Secret, error) {
	return use(ctx, k, "read", key, prompt, func(o *operation) (secret.Secret, error) { return o.get(key) })
}

// Set stores the secret, which is not empty. After an error with a question to
// the user, a late answer can still let it be stored.
func (k *Keyring) Set(ctx context.Context, key keyring.Key, value secret.Secret, prompt keyring.Prompt) error {
	_, err := use(ctx, k, "write", key, prompt, func(o *operation) (struct{}, error) {
		if value.IsZero() {
			return struct{}{}, errValue
		}
		return struct{}{}, o.set(key, value)
	})
	return err
}

// Delete removes the secret of key from every keychain that is searched.
func (k *Keyring) Delete(ctx context.Context, key keyring.Key, prompt keyring.Prompt) error {
	_, err := use(ctx, k, "delete", key, prompt, func(o *operation) (struct{}, error) {
		return struct{}{}, o.remove(key)
	})
	return err
}

// Unlock implements [keyring.Unlocker]: it has macOS ask for the password of
// the default keychain, if that is locked.
func (k *Keyring) Unlock(ctx context.Context, prompt keyring.Prompt) error {
	_, err := attempt(ctx, k, "write", prompt, func(o *operation) (struct{}, error) {
		return struct{}{}, o.lockedOr(nil)
	})
	return err
}

// use is attempt, for a key that can be one.
func use[T any](ctx context.Context, k *Keyring, op string, key keyring.Key, prompt keyring.Prompt, f func(*operation) (T, error)) (T, error) {
	for _, s := range []string{key.Service, key.User} {
		if s == "" || !utf8.ValidString(s) || strings.Contains(s, "\x00") {
			var none T
			return none, fail(ctx, op, false, errKey)
		}
	}
	return attempt(ctx, k, op, prompt, f)
}

// attempt runs f in silence, and again with questions if it needs them.
func attempt[T any](ctx context.Context, k *Keyring, op string, prompt keyring.Prompt, f func(*operation) (T, error)) (T, error) {
	value, err := silently(ctx, k, f)
	asked := err != nil && prompt > keyring.NoPrompt && mayAsk(err)
	if asked {
		value, err = asking(ctx, k, prompt, f)
	}
	if err != nil {
		var none T
		return none, fail(ctx, op, asked, err)
	}
	return value, nil
}

// silently runs f within callBound, while no keychain asks. The functions of
// macOS cannot be interrupted: f may go on when silently has returned.
func silently[T any](ctx context.Context, k *Keyring, f func(*operation) (T, error)) (value T, err error) {
	p, err := k.process()
	if err != nil {
		return value, err
	}
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	return bounded.Do(ctx, k.calls, func() (value T, err error) {
		end, err := p.beSilent()
		if err != nil {
			return value, err
		}
		defer end()
		return f(&operation{ctx, p})
	})
}

// asking unlocks the keychain if need be, and runs f, while keychains may ask.
func asking[T any](ctx context.Context, k *Keyring, prompt keyring.Prompt, f func(*operation) (T, error)) (value T, err error) {
	p, err := k.process()
	if err != nil {
		return value, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(prompt))
	defer cancel()
	return bounded.Do(ctx, p.questions, func() (value T, err error) {
		end, err := p.ask(ctx)
		if err != nil {
			return value, err
		}
		defer end()
		o := &operation{ctx, p}
		// By itself, and not by what f does: nothing is written by an answer
		// that comes when nobody waits for it any more.
		if err := o.unlock(); err != nil {
			return value, err
		}
		return f(o)
	})
}
