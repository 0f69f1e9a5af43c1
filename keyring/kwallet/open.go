package kwallet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
)

// mayOpen decides, before anything is opened, whether it may be, and whether
// that is needed at all.
func (w *wallet) mayOpen(ctx context.Context, op string, key keyring.Key, prompt keyring.Prompt) error {
	if !w.exists {
		// Opening it would create it.
		if op != "write" {
			return errNoEntry
		}
		if prompt == keyring.NoPrompt {
			return &outcome{kind: keyring.ErrLocked, detail: "there is no wallet yet, and KWallet asks for its password to make one"}
		}
		return nil
	}
	if !w.isOpen {
		if op != "write" && w.settings.hasIndex(w.name) {
			var missing bool
			if err := w.call(ctx, "keyDoesNotExist", &missing, w.name, key.Service, key.User); err != nil {
				return err
			}
			if missing {
				return errNoEntry
			}
		}
		if prompt == keyring.NoPrompt {
			return &outcome{kind: keyring.ErrLocked, detail: "the wallet is closed: open it in KWalletManager"}
		}
		return nil
	}
	if prompt == keyring.NoPrompt {
		asks, err := w.asks(ctx)
		if err != nil {
			return err
		}
		if asks {
			return &outcome{kind: keyring.ErrLocked, detail: "KWallet asks its user whether " + w.appID + " may use the wallet"}
		}
	}
	return nil
}

// asks reports whether KWallet will ask if this program may use the wallet,
// which is open.
func (w *wallet) asks(ctx context.Context) (bool, error) {
	if !w.settings.promptOnOpen || slices.Contains(w.settings.allowed[w.name], w.appID) {
		return false, nil
	}
	var users []string
	err := w.call(ctx, "users", &users, w.name)
	return !slices.Contains(users, w.appID), err
}

// open gets a handle. The daemon may ask its user for that, for as long as
// prompt says. The handle, and the question, belong to the connection: closing
// it gives both back.
func (w *wallet) open(ctx context.Context, prompt keyring.Prompt) error {
	patience := time.Duration(prompt)
	if prompt == keyring.NoPrompt {
		patience = w.bound
	}
	signals := make(chan *dbus.Signal, 16)
	w.conn.Signal(signals)
	defer w.conn.RemoveSignal(signals)
	if err := w.watch(ctx); err != nil {
		return callFailed(ctx, err)
	}
	var transaction int32
	if err := w.call(ctx, "openAsync", &transaction, w.name, int64(0), w.appID, true); err != nil {
		return err
	}
	if transaction < 0 {
		return errOff
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case s, ok := <-signals:
			switch {
			case !ok:
				return callFailed(ctx, dbus.ErrClosed)
			case w.ended(s):
				return errGone
			}
			handle, ours := w.opened(s, transaction)
			switch {
			case !ours:
			case handle < 0:
				return &outcome{kind: keyring.ErrDismissed, detail: "access to the wallet was denied"}
			default:
				w.handle = handle
				return nil
			}
		case <-w.conn.Context().Done():
			return callFailed(ctx, dbus.ErrClosed)
		case <-ctx.Done():
			return &outcome{kind: keyring.ErrLocked, detail: "the wallet was not opened in time", cause: ctx.Err()}
		case <-timer.C:
			return &outcome{kind: keyring.ErrLocked, detail: fmt.Sprintf("nobody answered the question of KWallet within %v", patience)}
		}
	}
}

// watch asks the bus for the signals that end the wait.
func (w *wallet) watch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	err := w.conn.AddMatchSignalContext(ctx,
		dbus.WithMatchSender(w.owner), dbus.WithMatchInterface("org.kde.KWallet"), dbus.WithMatchMember("walletAsyncOpened"))
	if err != nil {
		return err
	}
	return w.conn.AddMatchSignalContext(ctx,
		dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchInterface("org.freedesktop.DBus"),
		dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, w.owner))
}

// ended reports whether the signal tells that the daemon has left the bus.
func (w *wallet) ended(s *dbus.Signal) bool {
	return s.Sender == "org.freedesktop.DBus" && s.Name == "org.freedesktop.DBus.NameOwnerChanged" &&
		len(s.Body) == 3 && s.Body[0] == w.owner && s.Body[2] == ""
}

// opened returns the handle if the signal answers our request. Signals of
// others than the daemon do not count: anybody can send them.
func (w *wallet) opened(s *dbus.Signal, transaction int32) (handle int32, ours bool) {
	if s.Sender != w.owner || s.Name != "org.kde.KWallet.walletAsyncOpened" || len(s.Body) != 2 || s.Body[0] != transaction {
		return 0, false
	}
	handle, ours = s.Body[1].(int32)
	return handle, ours
}
