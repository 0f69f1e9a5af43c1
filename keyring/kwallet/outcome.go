package kwallet

import (
	"context"
	"errors"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/sessionbus"
	"github.com/authring/authring/keyring"
)

// outcome is how a call ended other than well.
type outcome struct {
	kind   error
	detail string
	cause  error
}

func (o *outcome) Error() string { return o.detail }
func (o *outcome) Unwrap() error { return o.cause }

var (
	errNoEntry = &outcome{kind: keyring.ErrNotFound}
	errClosed  = &outcome{kind: keyring.ErrUnavailable, detail: "the wallet was closed meanwhile"}
	errGone    = &outcome{kind: keyring.ErrUnavailable, detail: "KWallet has ended meanwhile"}
	errOff     = &outcome{kind: keyring.ErrUnavailable, detail: "KWallet is switched off in its settings"}
	errNone    = &outcome{kind: keyring.ErrAbsent, detail: "the session bus has no KWallet"}
)

// fail puts err into the terms of the contract.
func fail(op string, err error) error {
	if err == nil {
		return nil
	}
	e := &keyring.Error{Op: op, Keyring: keyring.KWallet, Name: "KWallet", Kind: keyring.ErrUnavailable, Err: err}
	var o *outcome
	if errors.As(err, &o) {
		e.Kind, e.Detail, e.Err = o.kind, o.detail, o.cause
	}
	return e
}

func noBus(err error) error {
	if errors.Is(err, sessionbus.ErrNoBus) {
		return &outcome{kind: keyring.ErrAbsent, cause: err, detail: "it is reached over the session bus"}
	}
	return err
}

// callFailed says why a call failed that had callBound within ctx. What the
// daemon wrote about it is dropped but for the error's name: it could repeat
// the arguments.
func callFailed(ctx context.Context, err error) error {
	var remote dbus.Error
	switch {
	case ctx.Err() != nil:
		return &outcome{kind: keyring.ErrUnavailable, detail: "the call was given up", cause: ctx.Err()}
	case errors.Is(err, context.DeadlineExceeded):
		return &outcome{kind: keyring.ErrUnavailable, detail: "KWallet does not answer"}
	case errors.As(err, &remote):
		switch remote.Name {
		case "org.freedesktop.DBus.Error.ServiceUnknown",
			"org.freedesktop.DBus.Error.NameHasNoOwner",
			"org.freedesktop.DBus.Error.NoReply",
			"org.freedesktop.DBus.Error.Disconnected":
			return errGone
		}
		return &outcome{kind: keyring.ErrUnavailable, detail: "KWallet refused the call (" + remote.Name + ")"}
	}
	return &outcome{kind: keyring.ErrUnavailable, detail: "the session bus has ended meanwhile", cause: err}
}
