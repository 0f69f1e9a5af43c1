package secretservice

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/sessionbus"
	"github.com/authring/authring/keyring"
)

// Names of errors, of the Secret Service specification, section "Errors", and
// of the reference implementation of D-Bus.
const (
	errNameIsLocked   = "org.freedesktop.Secret.Error.IsLocked"
	errNameNoSession  = "org.freedesktop.Secret.Error.NoSession"
	errNameNoObject   = "org.freedesktop.Secret.Error.NoSuchObject"
	errNameHasNoOwner = "org.freedesktop.DBus.Error.NameHasNoOwner"
	errServiceUnknown = "org.freedesktop.DBus.Error.ServiceUnknown"
	errNoReply        = "org.freedesktop.DBus.Error.NoReply"
	errNotSupported   = "org.freedesktop.DBus.Error.NotSupported"
	errAccessDenied   = "org.freedesktop.DBus.Error.AccessDenied"
	errUnknownObject  = "org.freedesktop.DBus.Error.UnknownObject"
	errUnknownMethod  = "org.freedesktop.DBus.Error.UnknownMethod"
)

var (
	errConnect = errors.New("could not reach the session bus")
	// errNoAnswer: the service let the bound of a call pass.
	errNoAnswer = errors.New("it does not answer")
	// errAnswer: the answer is not what the specification says.
	errAnswer = errors.New("its answer makes no sense")
	// errSession: there is no session to carry secrets.
	errSession = errors.New("it opened no session")
	// errLeadingZero: the session is to be thrown away, and another opened.
	errLeadingZero = errors.New("it and we may differ about the key of the session")
	// errDecrypt says no more on purpose.
	errDecrypt = errors.New("could not decrypt its answer")
	// errVanished: the service or the bus went away during a prompt, which is
	// not to be started again on its own.
	errVanished = errors.New("it went away")
	// errUnanswered: a prompt was dismissed by us.
	errUnanswered = errors.New("nobody answered in time")
	// errNoCollection: there is nothing that items could lie in.
	errNoCollection = errors.New("it has no default keyring")
)

const (
	detailNoProvider = "no program on this session bus offers a Secret Service"
	detailGone       = "the session bus or the provider went away"
)

func isError(err error, names ...string) bool {
	var e dbus.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, name := range names {
		if e.Name == name {
			return true
		}
	}
	return false
}

// isStale reports whether the connection, the provider or the session that
// was kept is no more.
func isStale(err error) bool {
	if err == nil || errors.Is(err, errVanished) {
		return false
	}
	var network net.Error
	return isError(err, errNameNoSession, errNameHasNoOwner, errServiceUnknown, errNoReply) ||
		errors.Is(err, dbus.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded)
}

// isUsedUp reports whether a connection is of no use any more after err.
func isUsedUp(err error) bool {
	return isStale(err) || errors.Is(err, errNoAnswer) || errors.Is(err, errSession) ||
		errors.Is(err, errLeadingZero) || errors.Is(err, errDecrypt)
}

// isGone reports whether an object that was there is there no more.
func isGone(err error) bool {
	return isError(err, errNameNoObject, errUnknownObject, errUnknownMethod)
}

// failure says what err means for the caller. l may be nil.
func (k *Keyring) failure(ctx context.Context, op string, l *link, err error) error {
	e := outcome(err)
	if ended := ctx.Err(); ended != nil && !errors.Is(e, ended) {
		e.Err = ended
	}
	e.Op, e.Keyring, e.Name = op, k.ID(), name
	if l != nil && l.conn.Connected() {
		e.Name = l.providerName(ctx)
	}
	return e
}

// outcome finds the kind of an error. Messages of the service are left out:
// they are not ours to vouch for.
func outcome(err error) *keyring.Error {
	var known *keyring.Error
	if errors.As(err, &known) {
		return &keyring.Error{Kind: known.Kind, Detail: known.Detail, Err: known.Err}
	}
	e := &keyring.Error{Kind: keyring.ErrUnavailable}
	var remote dbus.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e.Err = err
	case errors.Is(err, sessionbus.ErrNoBus):
		e.Kind, e.Detail = keyring.ErrAbsent, err.Error()
	case errors.Is(err, errConnect):
		e.Detail = errConnect.Error()
	case errors.Is(err, errNoCollection):
		e.Detail = detailNoCollection
	case isError(err, errNameIsLocked):
		e.Kind = keyring.ErrLocked
	case errors.Is(err, errUnanswered):
		e.Kind, e.Detail = keyring.ErrLocked, err.Error()
	case isError(err, errAccessDenied):
		e.Detail = denied(err)
	case isStale(err), errors.Is(err, errVanished):
		e.Detail = detailGone
	case errors.As(err, &remote):
		e.Detail = "it answered with the error " + remote.Name
	default:
		e.Detail = err.Error()
	}
	return e
}

// denied names who stands between: snaps are confined by AppArmor, and reach
// the keyring only over an interface that is not connected by itself.
func denied(err error) string {
	if strings.Contains(strings.ToLower(err.Error()), "apparmor") {
		return "AppArmor denies access to the Secret Service (a snap needs its interface password-manager-service to be connected)"
	}
	return "the session bus denies access to the Secret Service"
}
