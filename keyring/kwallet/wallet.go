package kwallet

import (
	"context"
	"slices"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// Types of entries (KWallet::Wallet::EntryType).
const (
	typeUnknown  = 0 // also: no such entry
	typePassword = 1
)

// wallet is the wallet that KDE names for programs.
type wallet struct {
	*daemon
	appID    string
	settings settings
	name     string
	exists   bool
	isOpen   bool
	handle   int32 // once open
}

// wallet looks which wallet it is and how it stands.
func (d *daemon) wallet(ctx context.Context, k *Keyring) (*wallet, error) {
	d.bound = k.bound
	w := &wallet{daemon: d, appID: k.appID, settings: readSettings()}
	var enabled bool
	var names []string
	err := d.calls(ctx,
		request{"isEnabled", nil, &enabled},
		request{"networkWallet", nil, &w.name},
		request{"wallets", nil, &names})
	if err != nil {
		return nil, err
	}
	if !enabled {
		return nil, errOff
	}
	w.exists = slices.Contains(names, w.name)
	return w, d.call(ctx, "isOpen", &w.isOpen, w.name)
}

func (w *wallet) read(ctx context.Context, key keyring.Key) (secret.Secret, error) {
	var has bool
	var value string
	var kind int32
	err := w.calls(ctx,
		request{"hasEntry", w.args(key), &has},
		request{"readPassword", w.args(key), &value},
		request{"entryType", w.args(key), &kind})
	switch {
	case err != nil:
		return secret.Secret{}, err
	case value != "":
		return secret.New(value), nil
	}
	// An empty string answers for a handle that is no longer good as well,
	// and so does "no such entry".
	if err := w.stillOpen(ctx); err != nil {
		return secret.Secret{}, err
	}
	switch {
	case !has:
		return secret.Secret{}, errNoEntry
	case kind != typePassword:
		return secret.Secret{}, &outcome{kind: keyring.ErrUnavailable, detail: "the entry is not a password: look at it in KWalletManager"}
	}
	return secret.Secret{}, &outcome{kind: keyring.ErrUnavailable, detail: "the entry is empty: look at it in KWalletManager"}
}

func (w *wallet) write(ctx context.Context, key keyring.Key, value secret.Secret) error {
	var kind int32
	if err := w.call(ctx, "entryType", &kind, w.args(key)...); err != nil {
		return err
	}
	if kind != typeUnknown && kind != typePassword {
		return &outcome{kind: keyring.ErrUnavailable, detail: "an entry of that name holds something other than a password, and is left as it is: look at it in KWalletManager"}
	}
	var code int32
	err := w.call(ctx, "writePassword", &code, w.handle, key.Service, key.User, value.Reveal(), w.appID)
	if err != nil {
		return err
	}
	if code != 0 {
		return w.refused(ctx)
	}
	w.sync()
	got, err := w.read(ctx, key)
	if err != nil {
		return err
	}
	if !got.Equal(value) {
		return &outcome{kind: keyring.ErrUnavailable, detail: "it gave another value back than the one stored"}
	}
	return nil
}

func (w *wallet) remove(ctx context.Context, key keyring.Key) error {
	// removeEntry answers 0 where the folder is missing, too.
	var has bool
	if err := w.call(ctx, "hasEntry", &has, w.args(key)...); err != nil {
		return err
	}
	if !has {
		if err := w.stillOpen(ctx); err != nil {
			return err
		}
		return errNoEntry
	}
	var code int32
	if err := w.call(ctx, "removeEntry", &code, w.args(key)...); err != nil {
		return err
	}
	if code == -3 { // somebody was faster
		return errNoEntry
	}
	if code != 0 {
		return w.refused(ctx)
	}
	w.sync()
	if err := w.call(ctx, "hasEntry", &has, w.args(key)...); err != nil {
		return err
	}
	if has {
		return &outcome{kind: keyring.ErrUnavailable, detail: "the entry is still there"}
	}
	return w.stillOpen(ctx)
}

// args are the arguments that most methods have in common.
func (w *wallet) args(key keyring.Key) []any {
	return []any{w.handle, key.Service, key.User, w.appID}
}

// sync has the wallet written now, not some seconds later. The method gives
// no answer; the call that follows waits for it.
func (w *wallet) sync() {
	w.conn.Object(w.owner, w.path).Go("org.kde.KWallet.sync", dbus.FlagNoReplyExpected, nil, w.handle, w.appID)
}

// stillOpen returns errClosed if the handle is no longer good.
func (w *wallet) stillOpen(ctx context.Context) error {
	var open bool
	if err := w.call(ctx, "isOpen", &open, w.handle); err != nil {
		return err
	}
	if !open {
		return errClosed
	}
	return nil
}

func (w *wallet) refused(ctx context.Context) error {
	if err := w.stillOpen(ctx); err != nil {
		return err
	}
	return &outcome{kind: keyring.ErrUnavailable, detail: "KWallet refused to change the wallet"}
}
