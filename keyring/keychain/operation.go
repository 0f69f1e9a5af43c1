package keychain

import (
	"context"
	"errors"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// mostRounds is how often a write starts again because others add and delete
// the same item.
const mostRounds = 3

// operation is one call of the keyring: it does nothing further once its
// context has ended.
type operation struct {
	ctx     context.Context
	process *process
}

// call makes one call of macOS.
func (o *operation) call(f func(framework) int32) error {
	if err := o.ctx.Err(); err != nil {
		return err
	}
	return o.process.status(f(o.process.framework))
}

func (o *operation) get(key keyring.Key) (secret.Secret, error) {
	var value []byte
	err := o.call(func(f framework) (code int32) {
		value, code = f.Find(key.Service, key.User)
		return code
	})
	if is(err, itemNotFound) {
		return secret.Secret{}, o.lockedOr(errNoItem)
	}
	if err != nil {
		return secret.Secret{}, o.explain(err)
	}
	if len(value) == 0 {
		return secret.Secret{}, errEmpty
	}
	defer clear(value)
	return secret.New(string(value)), nil
}

func (o *operation) set(key keyring.Key, value secret.Secret) (err error) {
	data := []byte(value.Reveal())
	defer clear(data)
	for range mostRounds {
		err = o.call(func(f framework) int32 { return f.Update(key.Service, key.User, data) })
		if !is(err, itemNotFound) {
			break
		}
		err = o.call(func(f framework) int32 { return f.Add(key.Service, key.User, data) })
		if !is(err, duplicateItem) {
			break
		}
	}
	return o.explain(err)
}

func (o *operation) remove(key keyring.Key) error {
	err := o.call(func(f framework) int32 { return f.Remove(key.Service, key.User) })
	if is(err, itemNotFound) {
		return o.lockedOr(errNoItem)
	}
	return o.explain(err)
}

// unlocked reports whether the default keychain is open.
func (o *operation) unlocked() (open bool, err error) {
	err = o.call(func(f framework) (code int32) {
		open, code = f.Unlocked()
		return code
	})
	return open, err
}

// lockedOr returns err, unless the default keychain is locked or cannot be
// seen: no item is said to be missing then.
func (o *operation) lockedOr(err error) error {
	open, stateErr := o.unlocked()
	if stateErr != nil {
		return stateErr
	}
	if !open {
		return errLocked
	}
	return err
}

// explain says of a refusal that the keychain is locked, where that is so.
func (o *operation) explain(err error) error {
	var s *status
	if errors.As(err, &s) && asks(s.code) {
		if open, stateErr := o.unlocked(); stateErr == nil && !open {
			return &outcome{kind: keyring.ErrLocked, detail: errLocked.detail, cause: s}
		}
	}
	return err
}

// unlock has macOS ask for the password, if the default keychain is locked.
func (o *operation) unlock() error {
	open, err := o.unlocked()
	if err != nil || open {
		return err
	}
	return o.call(framework.Unlock)
}

// is reports whether err is this status.
func is(err error, code int32) bool {
	var s *status
	return errors.As(err, &s) && s.code == code
}

// mayAsk reports whether a call that failed in silence may succeed if the user
// is asked.
func mayAsk(err error) bool {
	var o *outcome
	var s *status
	switch {
	case errors.As(err, &o):
		return o.kind == keyring.ErrLocked
	case errors.As(err, &s):
		return asks(s.code)
	}
	return false
}
