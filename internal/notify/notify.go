// Package notify asks the user a question by a notification of the desktop with
// two buttons (Desktop Notifications Specification 1.2, over D-Bus).
//
// Every program on the user's bus can show such a notification, and one that
// takes the place of the desktop's server can answer it. It keeps out what asks
// by accident or unknown to the user, and not a program of the user's that
// means harm.
package notify

import (
	"context"
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/sessionbus"
)

// ErrCannotAsk: there is no desktop, no notification server, or one that shows
// no buttons.
var ErrCannotAsk = errors.New("no notification with buttons can be shown")

// Question is what the user is asked.
type Question struct {
	Title string
	Lines []string // below the title
	Yes   string   // what the buttons say
	No    string
}

const (
	service   = "org.freedesktop.Notifications"
	object    = "/org/freedesktop/Notifications"
	member    = service + "."
	actionYes = "allow"
	actionNo  = "deny"

	// callBound is how long the server may take to answer a call. It may have
	// to be started.
	callBound = 10 * time.Second
	// longestLine bounds what is shown, in characters.
	longestLine = 300
)

// Ask shows a question until it is answered or ctx ends. Closing it, or letting
// it expire, is a no. The error is [ErrCannotAsk], or the context's.
func Ask(ctx context.Context, q Question) (bool, error) {
	address, err := sessionbus.Address()
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrCannotAsk, err)
	}
	return AskOn(ctx, address, q)
}

// AskOn is [Ask] on the bus at an address.
func AskOn(ctx context.Context, address string, q Question) (bool, error) {
	conn, err := sessionbus.ConnectTo(ctx, address)
	if err != nil {
		return false, cannot(ctx, err)
	}
	defer func() { _ = conn.Close() }()
	s := &server{conn: conn, signals: make(chan *dbus.Signal, 64)}
	if err := s.find(ctx); err != nil {
		return false, cannot(ctx, err)
	}
	id, err := s.show(ctx, q)
	if err != nil {
		return false, cannot(ctx, err)
	}
	return s.await(ctx, id)
}

// cannot tells the end of the caller's context from what the server did.
func cannot(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		// Not wrapped: the end of a call's own time is not that of the question.
		err = errors.New("the desktop does not answer")
	}
	return fmt.Errorf("%w: %w", ErrCannotAsk, err)
}

// server is the notification server of a bus.
type server struct {
	conn    *dbus.Conn
	signals chan *dbus.Signal
	owner   string // its unique name: signals of others do not count
	markup  bool
}

// find learns who the server is, and whether it shows buttons.
func (s *server) find(ctx context.Context) error {
	var capabilities []string
	// The first call: the bus may start a server for it.
	if err := s.call(ctx, "GetCapabilities").Store(&capabilities); err != nil {
		return err
	}
	if !slices.Contains(capabilities, "actions") {
		return errors.New("the notification server shows no buttons")
	}
	s.markup = slices.Contains(capabilities, "body-markup")
	s.conn.Signal(s.signals)
	bounded, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	for _, options := range [][]dbus.MatchOption{
		{dbus.WithMatchSender(service), dbus.WithMatchInterface(service), dbus.WithMatchObjectPath(object)},
		{dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, service)},
	} {
		if err := s.conn.AddMatchSignalContext(bounded, options...); err != nil {
			return err
		}
	}
	return s.conn.BusObject().CallWithContext(bounded, "org.freedesktop.DBus.GetNameOwner", 0, service).Store(&s.owner)
}

func (s *server) show(ctx context.Context, q Question) (id uint32, err error) {
	lines := make([]string, 0, len(q.Lines))
	for _, line := range q.Lines {
		line = clean(line)
		if s.markup {
			line = html.EscapeString(line)
		}
		lines = append(lines, line)
	}
	hints := map[string]dbus.Variant{
		"urgency": dbus.MakeVariant(byte(2)), // stays until it is answered
	}
	actions := []string{actionYes, clean(q.Yes), actionNo, clean(q.No)}
	// To its end: what was shown must be known, to be taken back.
	err = s.call(context.WithoutCancel(ctx), "Notify", "authring", uint32(0), "dialog-password", clean(q.Title), strings.Join(lines, "\n"), actions, hints, int32(0)).Store(&id)
	return id, err
}

// await waits for the answer to the notification id.
func (s *server) await(ctx context.Context, id uint32) (bool, error) {
	for {
		select {
		case signal, ok := <-s.signals:
			switch {
			case !ok:
				return false, fmt.Errorf("%w: the session bus has ended", ErrCannotAsk)
			case signal.Name == "org.freedesktop.DBus.NameOwnerChanged" && signal.Sender == "org.freedesktop.DBus":
				if s.replaced(signal) {
					return false, fmt.Errorf("%w: the notification server has ended", ErrCannotAsk)
				}
			case signal.Sender != s.owner || len(signal.Body) != 2 || signal.Body[0] != id:
			case signal.Name == member+"ActionInvoked":
				return signal.Body[1] == actionYes, nil
			case signal.Name == member+"NotificationClosed":
				return false, nil
			}
		case <-ctx.Done():
			// What nobody waits for must not stay on the screen.
			bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = s.call(bounded, "CloseNotification", id).Err
			return false, context.Cause(ctx)
		}
	}
}

// replaced reports whether the server that was asked is it no more.
func (s *server) replaced(signal *dbus.Signal) bool {
	var name, before, after string
	return dbus.Store(signal.Body, &name, &before, &after) == nil && name == service && after != s.owner
}

func (s *server) call(ctx context.Context, method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	return s.conn.Object(service, object).CallWithContext(ctx, member+method, 0, args...)
}

// clean takes out what is not shown as it is, or would break the line, and
// bounds the length.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != utf8.RuneError {
			return r
		}
		return '?'
	}, strings.ToValidUTF8(text, "?"))
	if utf8.RuneCountInString(text) <= longestLine {
		return text
	}
	return string([]rune(text)[:longestLine-1]) + "…"
}
