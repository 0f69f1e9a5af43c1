package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/authring/authring/internal/fault"
)

const (
	// idleConn is how long a connection may be kept for another request.
	idleConn = 30 * time.Second
	// headerSize is what a header may have; net/http allows 4 KiB more.
	headerSize = 4 << 10
	// lastCalls is how long those are waited for who connected before the
	// socket lost its name.
	lastCalls = 50 * time.Millisecond
)

// Serve answers on a Unix socket until the agent has been idle for long enough,
// was told to stop (nil), or ctx ends (its error). Requests that are under way
// are answered first. It closes the listener.
func (a *Agent) Serve(ctx context.Context, l net.Listener) error {
	conns := newConns(a.config)
	server := &http.Server{
		Handler:                      &handler{a, conns},
		ReadHeaderTimeout:            a.config.Limits.Header,
		IdleTimeout:                  idleConn,
		MaxHeaderBytes:               headerSize,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(io.Discard, "", 0),
		ConnContext:                  connContext,
	}
	a.watchRevocations()
	door := &door{Listener: l, conns: conns}
	served := make(chan error, 1)
	go func() { served <- server.Serve(door) }()
	var err error
	select {
	case err = <-served:
		err = fmt.Errorf("could not go on at the agent's socket: %w", err)
	case <-a.ending:
		// Who connected before is answered, who comes now finds no socket.
		door.lastCall()
		<-served
	case <-ctx.Done():
		err = context.Cause(ctx)
		door.lastCall()
	}
	conns.closeSilent()
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.config.Limits.Answer)
	defer cancel()
	if ctx.Err() != nil {
		cancel() // somebody wants it to end now
	}
	if server.Shutdown(patient) != nil {
		_ = server.Close()
	}
	return err
}

// connContext is the context of the requests of a connection.
func connContext(ctx context.Context, nc net.Conn) context.Context {
	c, ok := nc.(*conn)
	if !ok {
		return ctx
	}
	ctx, c.signs.cancel = context.WithCancelCause(context.WithValue(ctx, connKey{}, c))
	return ctx
}

// door lets connections in.
type door struct {
	net.Listener
	conns   *conns
	hearing atomic.Int32 // how many are being turned away
}

var errLastCall = errors.New("the agent is ending")

// Accept returns the next connection of somebody who may ask, once there is
// room for it.
func (d *door) Accept() (net.Conn, error) {
	for {
		raw, err := d.Listener.Accept()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, errLastCall
		}
		if err != nil {
			return nil, err // net/http tries again after those that pass
		}
		p, ok := d.conns.mayConnect(raw)
		if !ok {
			d.turnAway(raw, http.StatusForbidden, errorReply{"refused", "this agent gives no tokens to another user", fault.Refused, "Run an agent of your own."})
			continue
		}
		c, wait := d.conns.admit(raw, p)
		for c == nil && wait > 0 {
			// The others wait in the queue of the system meanwhile.
			time.Sleep(wait)
			c, wait = d.conns.admit(raw, p)
		}
		if c != nil {
			return c, nil
		}
		d.turnAway(raw, http.StatusServiceUnavailable, errorReply{"no-room", "the agent has no room for another request", fault.Temporary, "Try again later."})
	}
}

// lastCall takes the socket's name away, and has Accept end once those are in
// who found it before.
func (d *door) lastCall() {
	if named, ok := d.Listener.(interface{ Unname() }); ok {
		named.Unname()
	}
	if timed, ok := d.Listener.(interface{ SetDeadline(time.Time) error }); ok && timed.SetDeadline(time.Now().Add(lastCalls)) == nil {
		return
	}
	_ = d.Listener.Close()
}

const (
	// hearing is how long somebody who is turned away has to hear it.
	hearing = 250 * time.Millisecond
	// mostHearing is how many may at a time: the others are cut off.
	mostHearing = 16
)

// turnAway answers somebody who is not let in, and is not held up by that.
func (d *door) turnAway(c net.Conn, status int, answer errorReply) {
	body, _ := json.Marshal(answer)
	_ = c.SetDeadline(time.Now().Add(10 * time.Millisecond))
	_, _ = fmt.Fprintf(c, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
		status, http.StatusText(status), len(body), body)
	socket, ok := c.(*net.UnixConn)
	if !ok || d.hearing.Add(1) > mostHearing {
		if ok {
			d.hearing.Add(-1)
		}
		_ = c.Close()
		return
	}
	// Who closes a connection on which something was not read cuts the other
	// end off before it has heard the answer.
	_ = socket.CloseWrite()
	_ = c.SetDeadline(time.Now().Add(hearing))
	go func() {
		defer d.hearing.Add(-1)
		_, _ = io.Copy(io.Discard, io.LimitReader(c, 2*headerSize))
		_ = c.Close()
	}()
}
