package kwallet

import (
	"context"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
)

// startBound is how long the bus may take to start the daemon. The bus itself
// gives up after 25 s where nothing else is configured.
const startBound = 30 * time.Second

// flavour is one generation of the daemon.
type flavour struct {
	name string
	path dbus.ObjectPath
}

// flavours in the order of preference. kwalletd6 also answers to the name of
// kwalletd5; both keep their wallets in the same folder.
var flavours = [...]flavour{
	{"org.kde.kwalletd6", "/modules/kwalletd6"},
	{"org.kde.kwalletd5", "/modules/kwalletd5"},
	{"org.kde.kwalletd", "/modules/kwalletd"},
}

// daemon is one that runs. It is called by its unique name on the bus, so
// that no call ever starts another, and no other program answers for it.
type daemon struct {
	flavour
	conn  *dbus.Conn
	owner string
	bound time.Duration // of a call
}

// running returns the daemon that runs, or nil.
func running(ctx context.Context, conn *dbus.Conn) (*daemon, error) {
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	var calls [len(flavours)]*dbus.Call
	for i, f := range flavours {
		calls[i] = conn.BusObject().GoWithContext(ctx, "org.freedesktop.DBus.GetNameOwner", 0, nil, f.name)
	}
	for i, f := range flavours {
		var owner string
		err := (<-calls[i].Done).Store(&owner)
		if err == nil {
			return &daemon{flavour: f, conn: conn, owner: owner}, nil
		}
		if !noOwner(err) {
			return nil, err
		}
	}
	return nil, nil
}

// startable returns the daemon that the bus would start, or nil.
func startable(ctx context.Context, conn *dbus.Conn) (*flavour, error) {
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	var names []string
	if err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.ListActivatableNames", 0).Store(&names); err != nil {
		return nil, err
	}
	for _, f := range flavours {
		if slices.Contains(names, f.name) {
			return &f, nil
		}
	}
	return nil, nil
}

// start returns the daemon, started by the bus if need be.
func start(ctx context.Context, conn *dbus.Conn) (*daemon, error) {
	d, err := running(ctx, conn)
	if err != nil {
		return nil, callFailed(ctx, err)
	}
	if d != nil {
		return d, nil
	}
	f, err := startable(ctx, conn)
	if err != nil {
		return nil, callFailed(ctx, err)
	}
	if f == nil {
		return nil, errNone
	}
	if !readSettings().enabled {
		// It would end at once, and the bus would wait for it in vain.
		return nil, errOff
	}
	bounded, cancel := context.WithTimeout(ctx, startBound)
	defer cancel()
	err = conn.BusObject().CallWithContext(bounded, "org.freedesktop.DBus.StartServiceByName", 0, f.name, uint32(0)).Err
	if err == nil {
		d, err = running(ctx, conn)
	}
	if err == nil && d == nil {
		err = errGone
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, callFailed(ctx, err)
		}
		return nil, &outcome{kind: keyring.ErrUnavailable, detail: "the bus could not start KWallet", cause: err}
	}
	return d, nil
}

func noOwner(err error) bool {
	remote, ok := err.(dbus.Error)
	return ok && remote.Name == "org.freedesktop.DBus.Error.NameHasNoOwner"
}

// call calls one method and takes its only result.
func (d *daemon) call(ctx context.Context, method string, result any, args ...any) error {
	return d.calls(ctx, request{method, args, result})
}

// request is one call; result points to where the answer goes.
type request struct {
	method string
	args   []any
	result any
}

// calls sends all requests, then waits for all answers. The daemon takes the
// calls of one connection in their order.
func (d *daemon) calls(ctx context.Context, requests ...request) error {
	bounded, cancel := context.WithTimeout(ctx, d.bound)
	defer cancel()
	object := d.conn.Object(d.owner, d.path)
	calls := make([]*dbus.Call, len(requests))
	for i, r := range requests {
		calls[i] = object.GoWithContext(bounded, "org.kde.KWallet."+r.method, 0, make(chan *dbus.Call, 1), r.args...)
	}
	for i, r := range requests {
		call := <-calls[i].Done
		if call.Err != nil {
			return callFailed(ctx, call.Err)
		}
		if len(call.Body) != 1 || !take(call.Body[0], r.result) {
			return &outcome{kind: keyring.ErrUnavailable, detail: "KWallet gave an answer that makes no sense (" + r.method + ")"}
		}
	}
	return nil
}

// take stores an answer of exactly the type that is expected. godbus would
// convert, a number into a text for one.
func take(answer, result any) (ok bool) {
	switch r := result.(type) {
	case *bool:
		*r, ok = answer.(bool)
	case *int32:
		*r, ok = answer.(int32)
	case *string:
		*r, ok = answer.(string)
	case *[]string:
		*r, ok = answer.([]string)
	}
	return ok
}
