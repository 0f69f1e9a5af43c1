package sealed

import (
	"context"
	"errors"

	"github.com/authring/authring/keyring"
)

// refusal is a failure whose outcome is known where it happens.
type refusal struct {
	kind   error  // an outcome of package keyring
	detail string // for people
	causes []error
}

// Error returns the detail, which has the causes in it as far as they matter.
func (r *refusal) Error() string { return r.detail }

// Unwrap returns the causes.
func (r *refusal) Unwrap() []error { return r.causes }

// fail puts err into the terms of the contract.
func (k *Keyring) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	e := &keyring.Error{Op: op, Keyring: keyring.Sealed, Name: k.name(), Kind: keyring.ErrUnavailable, Err: err}
	var r *refusal
	switch {
	case errors.Is(err, errNoItem):
		e.Kind, e.Err = keyring.ErrNotFound, nil
	case errors.As(err, &r):
		e.Kind = r.kind
	case errors.Is(err, context.DeadlineExceeded):
		e.Detail = "it was not opened in time: a key, a plugin, or another process, is still awaited"
	}
	return e
}

func (k *Keyring) name() string {
	if path, err := k.Path(); err == nil {
		return "sealed file (" + path + ")"
	}
	return "sealed file"
}
