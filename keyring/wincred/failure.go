package wincred

import (
	"context"
	"errors"
	"syscall"

	"github.com/authring/authring/internal/bounded"
	"github.com/authring/authring/keyring"
)

// name is what Windows calls it.
const name = "Windows Credential Manager"

// outcome is how a call ended other than well.
type outcome struct {
	kind   error
	detail string
	cause  error
}

func (o *outcome) Error() string { return o.detail }
func (o *outcome) Unwrap() error { return o.cause }

var (
	errNoItem    = &outcome{kind: keyring.ErrNotFound, detail: "there is no such credential"}
	errOtherCase = &outcome{kind: keyring.ErrUnavailable,
		detail: "it holds a secret of another user name that differs in upper and lower case only, and has no room for both: delete that one first"}
	errWriter  = &outcome{kind: keyring.ErrUnavailable, detail: "another program has been writing to it for long"}
	errNoVault = &outcome{kind: keyring.ErrAbsent, detail: "only Windows has it"}
)

// The codes that people meet, of "System Error Codes" in Windows' reference.
const (
	accessDenied       = syscall.Errno(5)
	serviceDisabled    = syscall.Errno(1058)
	serviceNotActive   = syscall.Errno(1062)
	noSuchLogonSession = syscall.Errno(1312)
	serverUnavailable  = syscall.Errno(1722)
)

// fail puts err into the terms of the contract.
func fail(ctx context.Context, op string, err error) error {
	o := outcomeOf(ctx, err)
	e := &keyring.Error{Op: op, Keyring: keyring.WinCred, Name: name, Kind: o.kind, Detail: o.detail, Err: o.cause}
	if err == errOtherCase && op != "write" {
		// Windows answered, and holds no such item.
		e.Kind = keyring.ErrNotFound
	}
	return e
}

// outcomeOf says what err means to a caller whose context is ctx.
func outcomeOf(ctx context.Context, err error) *outcome {
	var o *outcome
	var code syscall.Errno
	switch {
	case errors.As(err, &o):
		return o
	case ctx.Err() != nil:
		return &outcome{kind: keyring.ErrUnavailable, detail: "the call was given up", cause: ctx.Err()}
	case errors.Is(err, bounded.ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return &outcome{kind: keyring.ErrUnavailable, detail: "it does not answer"}
	case errors.As(err, &code):
		return &outcome{kind: keyring.ErrUnavailable, detail: explain(code), cause: code}
	}
	return &outcome{kind: keyring.ErrUnavailable, detail: err.Error()}
}

func explain(code syscall.Errno) string {
	switch code {
	case noSuchLogonSession:
		return "this logon has no credential store (a service, or a network logon such as SSH with a key): use the account's own desktop session, or another keyring"
	case accessDenied:
		return "Windows denies access; a policy of the domain may forbid storing credentials"
	case serviceDisabled, serviceNotActive, serverUnavailable:
		return `the service "Credential Manager" (VaultSvc) is not running: start it`
	}
	return "Windows refused the call"
}
