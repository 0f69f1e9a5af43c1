package secretservice

import (
	"context"
	"errors"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// Names of the Secret Service specification, sections "D-Bus API" and
// "Object paths".
const (
	busName         = "org.freedesktop.secrets"
	servicePath     = dbus.ObjectPath("/org/freedesktop/secrets")
	defaultPath     = dbus.ObjectPath("/org/freedesktop/secrets/aliases/default")
	noPath          = dbus.ObjectPath("/")
	serviceIface    = "org.freedesktop.Secret.Service"
	collectionIface = "org.freedesktop.Secret.Collection"
	itemIface       = "org.freedesktop.Secret.Item"
	promptIface     = "org.freedesktop.Secret.Prompt"
	propertiesIface = "org.freedesktop.DBus.Properties"
	busIface        = "org.freedesktop.DBus"
)

// request is a method call that is yet to be sent.
type request struct {
	object dbus.BusObject
	method string
	args   []any
}

func (l *link) request(path dbus.ObjectPath, iface, method string, args ...any) request {
	return request{l.conn.Object(l.owner, path), iface + "." + method, args}
}

func (l *link) bus(method string, args ...any) request {
	return request{l.conn.BusObject(), busIface + "." + method, args}
}

func (r request) send(ctx context.Context) *dbus.Call {
	return r.object.GoWithContext(ctx, r.method, 0, nil, r.args...)
}

// ask sends one request and returns the answer.
func (l *link) ask(ctx context.Context, r request) ([]any, error) {
	return l.begin(ctx, r)()
}

// begin sends a request; what it returns waits for the answer, and must be
// called.
func (l *link) begin(ctx context.Context, r request) func() ([]any, error) {
	bounded, cancel := context.WithTimeout(ctx, l.bound)
	call := r.send(bounded)
	return func() ([]any, error) {
		defer cancel()
		<-call.Done
		if errors.Is(call.Err, context.DeadlineExceeded) && ctx.Err() == nil {
			return nil, errNoAnswer
		}
		return call.Body, call.Err
	}
}

type answer struct {
	body []any
	err  error
}

// askAll sends all requests before it waits for the answers. The provider
// handles them in their order.
func (l *link) askAll(ctx context.Context, requests ...request) []answer {
	waits := make([]func() ([]any, error), len(requests))
	for i, r := range requests {
		waits[i] = l.begin(ctx, r)
	}
	answers := make([]answer, len(requests))
	for i, wait := range waits {
		answers[i].body, answers[i].err = wait()
	}
	return answers
}

// decodeAt returns the value at position i of an answer. The provider may
// send anything.
func decodeAt[T any](body []any, i int) (T, error) {
	if i < len(body) {
		if v, ok := body[i].(T); ok {
			return v, nil
		}
	}
	var none T
	return none, fmt.Errorf("%w: %T expected at place %d", errAnswer, none, i)
}

// decodePath returns the object path at position i of an answer.
func decodePath(body []any, i int) (dbus.ObjectPath, error) {
	path, err := decodeAt[dbus.ObjectPath](body, i)
	if err == nil && !path.IsValid() {
		err = fmt.Errorf("%w: no object path at place %d", errAnswer, i)
	}
	return path, err
}

// decodeProperty returns a property of an answer to Properties.Get.
func decodeProperty[T any](body []any) (T, error) {
	v, err := decodeAt[dbus.Variant](body, 0)
	if err != nil {
		var none T
		return none, err
	}
	return decodeAt[T]([]any{v.Value()}, 0)
}
