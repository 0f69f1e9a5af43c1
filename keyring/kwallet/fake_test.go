//go:build linux

package kwallet_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/daemontest"
	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/kwallet"
)

// fake does what the real daemon can't be made to do. Its wallet is open and
// has one entry.
type fake struct {
	conn    *dbus.Conn
	path    dbus.ObjectPath
	methods map[string]method
}

// method answers a call. A type of its own, since those of godbus take no
// method that is overloaded, as isOpen is.
type method func(args ...any) ([]any, error)

func (f *fake) LookupObject(path dbus.ObjectPath) (dbus.ServerObject, bool) { return f, path == f.path }
func (f *fake) LookupInterface(name string) (dbus.Interface, bool) {
	return f, name == "org.kde.KWallet"
}
func (f *fake) LookupMethod(name string) (dbus.Method, bool) {
	m, ok := f.methods[name]
	return m, ok
}

func (m method) Call(args ...any) ([]any, error) { return m(args...) }
func (m method) NumArguments() int               { return 0 }
func (m method) NumReturns() int                 { return 0 }
func (m method) ArgumentValue(int) any           { return nil }
func (m method) ReturnValue(int) any             { return nil }
func (m method) DecodeArguments(_ *dbus.Conn, _ string, _ *dbus.Message, args []any) ([]any, error) {
	return args, nil
}

func answers(values ...any) method { return func(...any) ([]any, error) { return values, nil } }

// startFake starts a daemon that gives out value for every entry. Methods
// take the place of its own.
func startFake(t *testing.T, desk *daemontest.Desk, name string, path dbus.ObjectPath, value string, methods map[string]method) *fake {
	t.Helper()
	f := &fake{path: path}
	f.methods = map[string]method{
		"isEnabled":     answers(true),
		"networkWallet": answers("kdewallet"),
		"wallets":       answers([]string{"kdewallet"}),
		"isOpen":        answers(true),
		"openAsync": func(...any) ([]any, error) {
			defer f.opened(t, 7, 1)
			return []any{int32(7)}, nil
		},
		"hasEntry":      answers(true),
		"entryType":     answers(int32(1)),
		"readPassword":  answers(value),
		"writePassword": answers(int32(0)),
		"removeEntry":   answers(int32(0)),
		"sync":          answers(),
	}
	maps.Copy(f.methods, methods)
	conn, err := dbus.Connect(desk.Address, dbus.WithHandler(f))
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	f.conn = conn
	reply, err := conn.RequestName(name, dbus.NameFlagDoNotQueue)
	if err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("name %s: %v, %v", name, reply, err)
	}
	return f
}

func (f *fake) opened(t *testing.T, transaction, handle int32) {
	if err := f.conn.Emit(f.path, "org.kde.KWallet.walletAsyncOpened", transaction, handle); err != nil {
		t.Error(err)
	}
}

// newest starts the fake that is preferred to all others.
func newest(t *testing.T, desk *daemontest.Desk, value string, methods map[string]method) *fake {
	t.Helper()
	return startFake(t, desk, "org.kde.kwalletd6", "/modules/kwalletd6", value, methods)
}

func TestNewestDaemonFirst(t *testing.T) {
	desk := sit(t)
	startFake(t, desk, "org.kde.kwalletd", "/modules/kwalletd", "of 4", nil)
	k := newKeyring(t)
	if got, err := get(t, k, "a", keyring.NoPrompt); err != nil || got != "of 4" {
		t.Errorf("with kwalletd alone: %q, %v", got, err)
	}
	startFake(t, desk, "org.kde.kwalletd5", "/modules/kwalletd5", "of 5", nil)
	if got, err := get(t, k, "a", keyring.NoPrompt); err != nil || got != "of 5" {
		t.Errorf("with kwalletd5: %q, %v", got, err)
	}
	newest(t, desk, "of 6", nil)
	if got, err := get(t, k, "a", keyring.NoPrompt); err != nil || got != "of 6" {
		t.Errorf("with kwalletd6: %q, %v", got, err)
	}
}

func TestEmptyStringIsNoAnswer(t *testing.T) {
	desk := sit(t)
	var lost atomic.Bool
	newest(t, desk, "", map[string]method{
		"hasEntry": func(...any) ([]any, error) { return []any{!lost.Load()}, nil },
		"isOpen": func(args ...any) ([]any, error) {
			_, byHandle := args[0].(int32)
			return []any{!byHandle || !lost.Load()}, nil
		},
	})
	k := newKeyring(t)
	_, err := get(t, k, "a", keyring.NoPrompt)
	wantError(t, "Get of an empty value", err, keyring.ErrUnavailable, "empty")
	lost.Store(true)
	_, err = get(t, k, "a", keyring.NoPrompt)
	wantError(t, "Get with a lost handle", err, keyring.ErrUnavailable, "closed meanwhile")
	err = k.Delete(bounded(t), testKey("a"), keyring.NoPrompt)
	wantError(t, "Delete with a lost handle", err, keyring.ErrUnavailable, "closed meanwhile")
}

func TestLostWrite(t *testing.T) {
	desk := sit(t)
	newest(t, desk, "older", nil)
	k := newKeyring(t)
	wantError(t, "Set", set(t, k, "a", "newer", keyring.NoPrompt), keyring.ErrUnavailable, "another value")
	wantError(t, "Delete", k.Delete(bounded(t), testKey("a"), keyring.NoPrompt), keyring.ErrUnavailable, "still there")
}

func TestRefusedWrite(t *testing.T) {
	desk := sit(t)
	newest(t, desk, "older", map[string]method{"writePassword": answers(int32(-1)), "removeEntry": answers(int32(-1))})
	k := newKeyring(t)
	wantError(t, "Set", set(t, k, "a", "newer", keyring.NoPrompt), keyring.ErrUnavailable, "refused to change")
	wantError(t, "Delete", k.Delete(bounded(t), testKey("a"), keyring.NoPrompt), keyring.ErrUnavailable, "refused to change")
}

func TestDaemonThatHangs(t *testing.T) {
	release := make(chan struct{})
	hang := func(...any) ([]any, error) { <-release; return nil, nil }
	for name, c := range map[string]struct {
		methods map[string]method
		kind    error
		says    string
	}{
		"at once":            {map[string]method{"isEnabled": hang}, keyring.ErrUnavailable, "does not answer"},
		"instead of opening": {map[string]method{"openAsync": answers(int32(7))}, keyring.ErrLocked, "nobody answered"},
		"when it is read":    {map[string]method{"readPassword": hang}, keyring.ErrUnavailable, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			desk := sit(t)
			newest(t, desk, "value", c.methods)
			k := newKeyring(t, kwallet.WithCallBound(200*time.Millisecond))
			_, err := get(t, k, "a", keyring.NoPrompt)
			wantError(t, "Get", err, c.kind, c.says)
			if c.methods["isEnabled"] != nil {
				wantStatus(t, k, keyring.Unavailable, "does not answer")
			}
		})
	}
	close(release)
}

// forge sends the signal of the daemon from another connection to everybody on
// the bus, one by one: what is sent to one alone passes its match rules.
func forge(t *testing.T, desk *daemontest.Desk, path dbus.ObjectPath, transaction, handle int32) {
	t.Helper()
	conn := desk.Connect(t)
	var names []string
	must(t, conn.BusObject().Call("org.freedesktop.DBus.ListNames", 0).Store(&names))
	for _, name := range names {
		if !strings.HasPrefix(name, ":") {
			continue
		}
		must(t, conn.Send(&dbus.Message{
			Type: dbus.TypeSignal,
			Headers: map[dbus.HeaderField]dbus.Variant{
				dbus.FieldDestination: dbus.MakeVariant(name),
				dbus.FieldPath:        dbus.MakeVariant(path),
				dbus.FieldInterface:   dbus.MakeVariant("org.kde.KWallet"),
				dbus.FieldMember:      dbus.MakeVariant("walletAsyncOpened"),
				dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(transaction, handle)),
			},
			Body: []any{transaction, handle},
		}, nil).Err)
	}
	// A round trip, so that the forged signal is out before the true one.
	must(t, conn.BusObject().Call("org.freedesktop.DBus.GetId", 0).Err)
}

// TestSignalsOfOthers: only the daemon's own word counts for opened.
func TestSignalsOfOthers(t *testing.T) {
	desk := sit(t)
	asked := make(chan struct{})
	f := newest(t, desk, "", map[string]method{
		"openAsync": func(...any) ([]any, error) { close(asked); return []any{int32(7)}, nil },
		"readPassword": func(args ...any) ([]any, error) {
			return []any{fmt.Sprint("by handle ", args[0])}, nil
		},
	})
	done := ask(bounded(t), newKeyring(t), keyring.AskUser)
	<-asked
	forge(t, desk, f.path, 7, 666)
	f.opened(t, 8, 777) // of another program's request
	f.opened(t, 7, 1)
	if r := <-done; r.err != nil || r.value != "by handle 1" {
		t.Errorf("Get = %q, %v", r.value, r.err)
	}
}

func TestErrorsOfTheDaemonAreNotRepeated(t *testing.T) {
	desk := sit(t)
	newest(t, desk, "", map[string]method{"isEnabled": func(...any) ([]any, error) {
		return nil, dbus.NewError("org.example.Broken", []any{"do not print me"})
	}})
	_, err := get(t, newKeyring(t), "a", keyring.NoPrompt)
	wantError(t, "Get", err, keyring.ErrUnavailable, "KWallet refused the call (org.example.Broken)")
	if strings.Contains(err.Error(), "do not print me") {
		t.Error(err)
	}
}

// TestAnswersThatDoNotFit: what is called kwalletd6 may be anything.
func TestAnswersThatDoNotFit(t *testing.T) {
	for name, methods := range map[string]map[string]method{
		"wrong type":  {"readPassword": answers(int32(1))},
		"none at all": {"wallets": answers()},
	} {
		t.Run(name, func(t *testing.T) {
			desk := sit(t)
			newest(t, desk, "", methods)
			_, err := get(t, newKeyring(t), "a", keyring.NoPrompt)
			wantError(t, "Get", err, keyring.ErrUnavailable, "makes no sense")
		})
	}
}

// withService lets the bus start a program as kwalletd5.
func withService(t *testing.T, exec string) daemontest.Option {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "org.kde.kwalletd5.service"),
		[]byte("[D-BUS Service]\nName=org.kde.kwalletd5\nExec="+exec+"\n"), 0o600))
	return daemontest.WithServiceDir(dir)
}

func TestStartedByTheBus(t *testing.T) {
	needs.Programs(t, "kwalletd5")
	desk := sit(t, withService(t, "/usr/bin/env QT_QPA_PLATFORM=offscreen kwalletd5"))
	w := daemontest.StartKWallet(t, desk)
	k := newKeyring(t)
	must(t, set(t, k, "a", "1", keyring.NoPrompt))
	w.Stop(t)
	wantStatus(t, k, keyring.Startable, "not running")
	conn := desk.Connect(t)
	daemontest.WaitForNoName(t, conn, "org.kde.kwalletd5") // the probe started nothing
	_, err := get(t, k, "a", keyring.NoPrompt)
	wantError(t, "Get", err, keyring.ErrLocked, "closed")
	daemontest.WaitForName(t, conn, "org.kde.kwalletd5")
	wantStatus(t, k, keyring.Locked, "closed")
}

func TestNotStartedByTheBus(t *testing.T) {
	sit(t, withService(t, "/bin/false"))
	_, err := get(t, newKeyring(t), "a", keyring.NoPrompt)
	wantError(t, "Get", err, keyring.ErrUnavailable, "could not start KWallet")
}

func TestSwitchedOff(t *testing.T) {
	needs.Programs(t, "kwalletd5")
	desk := sit(t, withService(t, "/usr/bin/env QT_QPA_PLATFORM=offscreen kwalletd5"))
	config := filepath.Join(desk.Home, ".config")
	must(t, os.Mkdir(config, 0o700))
	must(t, os.WriteFile(filepath.Join(config, "kwalletrc"), []byte("[Wallet]\nFirst Use=false\nEnabled[$i]=false\n"), 0o600))
	k := newKeyring(t)
	wantStatus(t, k, keyring.Unavailable, "switched off")
	_, err := get(t, k, "a", keyring.NoPrompt)
	wantError(t, "Get", err, keyring.ErrUnavailable, "switched off")
	daemontest.WaitForNoName(t, desk.Connect(t), "org.kde.kwalletd5")
}

func TestNoBusAndNoDaemon(t *testing.T) {
	sit(t)
	k := newKeyring(t)
	wantStatus(t, k, keyring.Absent, "no KWallet")
	_, err := get(t, k, "a", keyring.NoPrompt)
	wantError(t, "Get", err, keyring.ErrAbsent, "no KWallet")

	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	wantStatus(t, k, keyring.Absent, "session bus")
	_, err = get(t, k, "a", keyring.NoPrompt)
	wantError(t, "Get without a bus", err, keyring.ErrAbsent, "no session bus")
}

func TestBusEnds(t *testing.T) {
	desk := sit(t)
	asked := make(chan struct{})
	newest(t, desk, "", map[string]method{
		"openAsync": func(...any) ([]any, error) { close(asked); return []any{int32(7)}, nil },
	})
	done := ask(bounded(t), newKeyring(t), keyring.AskUser)
	<-asked
	desk.StopBus(t)
	wantError(t, "Get", (<-done).err, keyring.ErrUnavailable, "ended")
}

// TestPreferred: in a session of KDE, KWallet goes first where nobody whom its
// user chose serves the Secret Service.
func TestPreferred(t *testing.T) {
	preferred := func(t *testing.T, want bool) {
		t.Helper()
		if got := keyring.Probe(bounded(t), newKeyring(t)).Preferred; got != want {
			t.Errorf("preferred: %v, want %v", got, want)
		}
	}
	t.Run("nobody serves it", func(t *testing.T) {
		desk := sit(t)
		newest(t, desk, "", nil)
		preferred(t, false)
		t.Setenv("XDG_CURRENT_DESKTOP", "GNOME:NOTKDE")
		preferred(t, false)
		t.Setenv("XDG_CURRENT_DESKTOP", "X-Distribution:KDE")
		preferred(t, true)
		t.Setenv("XDG_CURRENT_DESKTOP", "")
		t.Setenv("KDE_FULL_SESSION", "true")
		preferred(t, true)
	})
	t.Run("GNOME Keyring serves it", func(t *testing.T) {
		desk := sit(t)
		daemontest.StartGNOME(t, desk)
		t.Setenv("XDG_CURRENT_DESKTOP", "KDE")
		preferred(t, true)
		t.Setenv("XDG_CURRENT_DESKTOP", "GNOME")
		preferred(t, false)
	})
	t.Run("another serves it", func(t *testing.T) {
		desk := sit(t)
		t.Setenv("XDG_CURRENT_DESKTOP", "KDE")
		_, err := desk.Connect(t).RequestName("org.freedesktop.secrets", dbus.NameFlagDoNotQueue)
		must(t, err)
		preferred(t, false)
	})
}
