package notify_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/notify"
	"github.com/authring/authring/internal/sessionbus"
)

const name = "org.freedesktop.Notifications"

var question = notify.Question{
	Title: "A program asks for a token", Lines: []string{"/usr/bin/<b>curl</b>\n\x1b[1m", "link work"}, Yes: "Allow", No: "Deny",
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// shown is a notification that a [fake] was told of.
type shown struct {
	Asker       dbus.Sender
	Title, Body string
	Actions     []string
}

// fake is a notification server that does what a test says.
type fake struct {
	conn         *dbus.Conn
	capabilities []string
	hangs        bool
	shown        chan shown
	closed       chan uint32
}

func (f *fake) GetCapabilities() ([]string, *dbus.Error) {
	if f.hangs {
		select {}
	}
	return f.capabilities, nil
}

func (f *fake) Notify(asker dbus.Sender, _ string, _ uint32, _, title, body string, actions []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	f.shown <- shown{asker, title, body, actions}
	return 42, nil
}

func (f *fake) CloseNotification(id uint32) *dbus.Error { f.closed <- id; return nil }

func (f *fake) emit(t *testing.T, member string, args ...any) {
	t.Helper()
	if err := f.conn.Emit("/org/freedesktop/Notifications", name+"."+member, args...); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, address string) *dbus.Conn {
	t.Helper()
	conn, err := sessionbus.ConnectTo(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func serve(t *testing.T, address string, capabilities ...string) *fake {
	t.Helper()
	f := &fake{conn: connect(t, address), capabilities: capabilities, shown: make(chan shown, 1), closed: make(chan uint32, 1)}
	if err := f.conn.Export(f, "/org/freedesktop/Notifications", name); err != nil {
		t.Fatal(err)
	}
	if reply, err := f.conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("RequestName = %v, %v", reply, err)
	}
	return f
}

type result struct {
	allowed bool
	err     error
}

// ask asks in the background.
func ask(ctx context.Context, address string) chan result {
	answered := make(chan result, 1)
	go func() {
		allowed, err := notify.AskOn(ctx, address, question)
		answered <- result{allowed, err}
	}()
	return answered
}

func TestAnswers(t *testing.T) {
	desk := daemontest.NewDesk(t)
	f := serve(t, desk.Address, "actions", "body", "body-markup")
	stranger := connect(t, desk.Address)
	for _, test := range []struct {
		name   string
		answer func(asker dbus.Sender)
		want   bool
	}{
		{"allow", func(dbus.Sender) { f.emit(t, "ActionInvoked", uint32(42), "allow") }, true},
		{"deny", func(dbus.Sender) { f.emit(t, "ActionInvoked", uint32(42), "deny") }, false},
		{"another action", func(dbus.Sender) { f.emit(t, "ActionInvoked", uint32(42), "default") }, false},
		{"closed", func(dbus.Sender) { f.emit(t, "NotificationClosed", uint32(42), uint32(2)) }, false},
		{"another notification is allowed, and ours denied", func(dbus.Sender) {
			f.emit(t, "ActionInvoked", uint32(41), "allow")
			f.emit(t, "ActionInvoked", uint32(42), "deny")
		}, false},
		{"a stranger allows, and the server denies", func(asker dbus.Sender) {
			if err := stranger.Emit("/org/freedesktop/Notifications", name+".ActionInvoked", uint32(42), "allow"); err != nil {
				t.Error(err)
			}
			// To the asker alone: no match rule keeps that out.
			direct := &dbus.Message{Type: dbus.TypeSignal, Headers: map[dbus.HeaderField]dbus.Variant{
				dbus.FieldPath:        dbus.MakeVariant(dbus.ObjectPath("/org/freedesktop/Notifications")),
				dbus.FieldInterface:   dbus.MakeVariant(name),
				dbus.FieldMember:      dbus.MakeVariant("ActionInvoked"),
				dbus.FieldDestination: dbus.MakeVariant(string(asker)),
				dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(uint32(42), "allow")),
			}, Body: []any{uint32(42), "allow"}}
			stranger.Send(direct, nil)
			// Answered only when the bus has passed on what was sent before.
			if err := stranger.BusObject().CallWithContext(bounded(t), "org.freedesktop.DBus.GetId", 0).Err; err != nil {
				t.Error(err)
			}
			f.emit(t, "ActionInvoked", uint32(42), "deny")
		}, false},
		{"a signal of another shape", func(dbus.Sender) {
			f.emit(t, "ActionInvoked", "allow")
			f.emit(t, "ActionInvoked", uint32(42), uint32(1))
		}, false},
	} {
		answered := ask(bounded(t), desk.Address)
		notification := <-f.shown
		test.answer(notification.Asker)
		if got := <-answered; got.err != nil || got.allowed != test.want {
			t.Errorf("%s: %v, %v; want %v", test.name, got.allowed, got.err, test.want)
		}
		if strings.Contains(notification.Body, "<b>") || strings.Count(notification.Body, "\n") != 1 || strings.Contains(notification.Body, "\x1b") {
			t.Errorf("the notification says %q", notification.Body)
		}
	}
}

func TestWhereNobodyCanBeAsked(t *testing.T) {
	desk := daemontest.NewDesk(t)
	if _, err := notify.AskOn(bounded(t), desk.Address, question); !errors.Is(err, notify.ErrCannotAsk) {
		t.Errorf("without a server: %v", err)
	}
	f := serve(t, desk.Address, "body")
	if _, err := notify.AskOn(bounded(t), desk.Address, question); !errors.Is(err, notify.ErrCannotAsk) {
		t.Errorf("without buttons: %v", err)
	}
	_ = f.conn.Close()
	gone := serve(t, desk.Address, "actions")
	answered := ask(bounded(t), desk.Address)
	<-gone.shown
	_ = gone.conn.Close()
	if got := <-answered; got.allowed || !errors.Is(got.err, notify.ErrCannotAsk) {
		t.Errorf("a server that ends: %+v", got)
	}
	serve(t, desk.Address, "actions")
	answered = ask(bounded(t), desk.Address)
	desk.StopBus(t)
	if got := <-answered; got.allowed || !errors.Is(got.err, notify.ErrCannotAsk) {
		t.Errorf("a bus that ends: %+v", got)
	}
	if _, err := notify.AskOn(bounded(t), desk.Address, question); !errors.Is(err, notify.ErrCannotAsk) {
		t.Errorf("without a bus: %v", err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if _, err := notify.Ask(bounded(t), question); !errors.Is(err, notify.ErrCannotAsk) {
		t.Errorf("without a desktop: %v", err)
	}
}

func TestAQuestionIsTakenBack(t *testing.T) {
	desk := daemontest.NewDesk(t)
	f := serve(t, desk.Address, "actions")
	ctx, leave := context.WithCancel(t.Context())
	answered := ask(ctx, desk.Address)
	<-f.shown
	leave()
	if got := <-answered; got.allowed || !errors.Is(got.err, context.Canceled) {
		t.Errorf("%+v", got)
	}
	if id := <-f.closed; id != 42 {
		t.Errorf("the notification %d was closed", id)
	}

	f.hangs = true
	ctx, leave = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer leave()
	if _, err := notify.AskOn(ctx, desk.Address, question); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that hangs: %v", err)
	}
}
