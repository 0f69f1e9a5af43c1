package keychain

import (
	"context"
	"errors"

	"github.com/authring/authring/internal/bounded"
	"github.com/authring/authring/keyring"
)

// name is what macOS calls it.
const name = "macOS Keychain"

// outcome is how a call ended other than well.
type outcome struct {
	kind   error
	detail string
	cause  error
}

func (o *outcome) Error() string { return o.detail }
func (o *outcome) Unwrap() error { return o.cause }

var (
	errNoItem     = &outcome{kind: keyring.ErrNotFound, detail: "there is no such item"}
	errLocked     = &outcome{kind: keyring.ErrLocked, detail: "it is locked"}
	errAsking     = &outcome{kind: keyring.ErrLocked, detail: "a question to its user is open on the screen: answer that first"}
	errUnanswered = &outcome{kind: keyring.ErrLocked, detail: "its user did not answer in time; the question stays on the screen until somebody does"}
	errEmpty      = &outcome{kind: keyring.ErrUnavailable, detail: "the item is there, and empty"}
	errNoMac      = &outcome{kind: keyring.ErrAbsent, detail: "only macOS has it"}
	errValue      = &outcome{kind: keyring.ErrUnavailable, detail: "a secret is not empty"}
	errKey        = &outcome{kind: keyring.ErrUnavailable,
		detail: "an item needs a service and a user name, texts that are not empty and have no zero bytes"}
)

// fail puts err into the terms of the contract.
func fail(ctx context.Context, op string, asked bool, err error) error {
	o := outcomeOf(ctx, asked, err)
	return &keyring.Error{Op: op, Keyring: keyring.Keychain, Name: name, Kind: o.kind, Detail: o.detail, Err: o.cause}
}

// outcomeOf says what err means to a caller whose context is ctx, and whose
// user could be asked or not.
func outcomeOf(ctx context.Context, asked bool, err error) *outcome {
	var o *outcome
	var s *status
	switch {
	case errors.As(err, &o):
		return o
	case errors.As(err, &s):
		return s.meaning(asked)
	case ctx.Err() != nil:
		return &outcome{kind: keyring.ErrUnavailable, detail: "the call was given up", cause: ctx.Err()}
	case asked && errors.Is(err, bounded.ErrBusy):
		return errAsking
	case asked && errors.Is(err, context.DeadlineExceeded):
		return errUnanswered
	case errors.Is(err, bounded.ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return &outcome{kind: keyring.ErrUnavailable, detail: "it does not answer"}
	}
	return &outcome{kind: keyring.ErrUnavailable, detail: err.Error()}
}
