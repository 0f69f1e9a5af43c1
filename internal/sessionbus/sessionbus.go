// Package sessionbus connects to the D-Bus session bus of this user, and never
// to more than that: it starts no bus, waits for none, and speaks to no other
// machine.
package sessionbus

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// connectBound is how long a bus may take to answer. A bus that runs answers
// within a millisecond.
const connectBound = 5 * time.Second

// Connect returns a connection of the caller's own to the bus at [Address],
// to be closed by the caller; calls on it can be made at once. ctx bounds the
// connecting only. The error is [ErrNoBus] where there is no bus.
func Connect(ctx context.Context) (*dbus.Conn, error) {
	address, err := Address()
	if err != nil {
		return nil, err
	}
	return ConnectTo(ctx, address)
}

// ConnectTo is [Connect] with an address in the form of
// DBUS_SESSION_BUS_ADDRESS. Of several, the first that answers is taken.
func ConnectTo(ctx context.Context, address string) (*dbus.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectBound)
	defer cancel()
	var first error
	for one := range strings.SplitSeq(address, ";") {
		conn, err := connect(ctx, one)
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		return nil, fmt.Errorf("could not connect to the session bus: %w", cause)
	}
	return nil, fmt.Errorf("could not connect to the session bus: %w", first)
}

func connect(ctx context.Context, address string) (*dbus.Conn, error) {
	name, err := socketName(address)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	socket, err := dialer.DialContext(ctx, "unix", name)
	if err != nil {
		return nil, err
	}
	// godbus bounds neither the authentication nor Hello; a bus that is
	// stopped takes the connection and says nothing.
	unbound := context.AfterFunc(ctx, func() { _ = socket.Close() })
	// Not dbus.Dial: it starts with a round trip to ask whether file
	// descriptors may be passed, reads in small pieces, and takes messages of
	// any size.
	conn, err := dbus.NewConn(newStream(socket))
	if err == nil {
		err = greet(conn)
	}
	if !unbound() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		if conn != nil {
			_ = conn.Close()
		}
		_ = socket.Close()
		return nil, err
	}
	return conn, nil
}

func greet(conn *dbus.Conn) error {
	if err := conn.Auth(nil); err != nil {
		return err
	}
	return conn.Hello()
}
