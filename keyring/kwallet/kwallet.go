// Package kwallet keeps secrets in KDE's KWallet, over its own D-Bus
// interface org.kde.KWallet, as kwalletd6, kwalletd5 and kwalletd of KDE 4
// offer it. The service of a key is the folder, its user name the entry, of
// the type Password, in the wallet that KDE names for programs
// (networkWallet): what Python's keyring library uses, so that both read what
// the other wrote.
//
// # What opens when
//
// Looking opens nothing: [Keyring.Probe] starts no daemon and opens no
// wallet. A wallet that is closed is opened only where a prompt is allowed,
// since nobody can know whether KWallet will ask: with [keyring.NoPrompt] the
// answer is [keyring.ErrLocked], even for a wallet with an empty password. A
// job without a desktop can use KWallet only while the wallet is open, as it
// is after a login through PAM. A wallet that does not exist is never created
// to read from it, and to write only where a prompt is allowed.
//
// KWallet has no call that withdraws a question. When time is up the request
// is given back, so that a late answer opens nothing for this program and no
// further question follows; the dialog on the screen stays until its user
// closes it.
//
// KWallet does not tell whether its file reached the disk. A stored secret has
// been read back from the daemon, which was told to write.
package kwallet

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/sessionbus"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// callBound is how long the bus, or the daemon, may take for a call that asks
// nobody.
const callBound = 5 * time.Second

// Keyring is the KWallet of this desktop session. It is safe for concurrent
// use.
type Keyring struct {
	appID string
	bound time.Duration

	// Where a wallet closes when nobody uses it any longer, the latest
	// connection that opened it is kept until [Keyring.Close]: otherwise
	// every call would ask for the password.
	mu   sync.Mutex
	held *dbus.Conn
}

// Option changes how a [Keyring] works.
type Option func(*Keyring)

// WithAppID sets the name under which KWallet knows this program, shows it to
// the user and remembers what it may do. Programs of the same name share their
// permissions, not their entries.
func WithAppID(id string) Option { return func(k *Keyring) { k.appID = id } }

// WithCallBound sets how long the daemon may take for a call that asks nobody.
// The default is 5 s.
func WithCallBound(bound time.Duration) Option { return func(k *Keyring) { k.bound = bound } }

// New returns the KWallet of the session bus. It connects to nothing yet.
func New(opts ...Option) *Keyring {
	k := &Keyring{appID: "authring", bound: callBound}
	for _, opt := range opts {
		opt(k)
	}
	return k
}

// ID returns [keyring.KWallet].
func (k *Keyring) ID() keyring.ID { return keyring.KWallet }

// Close gives up what may be kept open between calls. The keyring stays
// usable.
func (k *Keyring) Close() error {
	k.hold(nil)
	return nil
}

func (k *Keyring) hold(conn *dbus.Conn) {
	k.mu.Lock()
	earlier := k.held
	k.held = conn
	k.mu.Unlock()
	if earlier != nil {
		_ = earlier.Close()
	}
}

// Get returns the password of the entry. With a closed wallet it is
// [keyring.ErrNotFound] only if the wallet's open index says so.
func (k *Keyring) Get(ctx context.Context, key keyring.Key, prompt keyring.Prompt) (value secret.Secret, err error) {
	err = k.do(ctx, "read", key, prompt, func(ctx context.Context, w *wallet) (err error) {
		value, err = w.read(ctx, key)
		return err
	})
	return value, err
}

// Set stores the password, reads it back, and has the wallet written to disk.
// An entry of another type than Password is not replaced.
func (k *Keyring) Set(ctx context.Context, key keyring.Key, value secret.Secret, prompt keyring.Prompt) error {
	if !isText(value.Reveal()) || value.IsZero() {
		return fail("write", &outcome{kind: keyring.ErrUnavailable, detail: "a secret is a text that is not empty and has no zero byte"})
	}
	return k.do(ctx, "write", key, prompt, func(ctx context.Context, w *wallet) error {
		return w.write(ctx, key, value)
	})
}

// Delete removes the entry. Its folder stays.
func (k *Keyring) Delete(ctx context.Context, key keyring.Key, prompt keyring.Prompt) error {
	return k.do(ctx, "delete", key, prompt, func(ctx context.Context, w *wallet) error {
		return w.remove(ctx, key)
	})
}

// do runs use on the open wallet. Each call has a connection of its own, and
// with it a handle of its own: no handle can go stale.
func (k *Keyring) do(ctx context.Context, op string, key keyring.Key, prompt keyring.Prompt, use func(context.Context, *wallet) error) error {
	err := ctx.Err()
	if err == nil && (!isText(key.Service) || !isText(key.User) || key.Service == "" || key.User == "") {
		err = &outcome{kind: keyring.ErrUnavailable, detail: "an entry needs a service and a user name, texts without zero bytes"}
	}
	if err == nil {
		err = k.once(ctx, op, key, prompt, use)
	}
	if errors.Is(err, errClosed) {
		// Somebody closed the wallet between two calls.
		err = k.once(ctx, op, key, prompt, use)
	}
	return fail(op, err)
}

func (k *Keyring) once(ctx context.Context, op string, key keyring.Key, prompt keyring.Prompt, use func(context.Context, *wallet) error) error {
	conn, err := sessionbus.Connect(ctx)
	if err != nil {
		return noBus(err)
	}
	keep := false
	defer func() {
		if !keep {
			_ = conn.Close()
		}
	}()
	d, err := start(ctx, conn)
	if err != nil {
		return err
	}
	w, err := d.wallet(ctx, k)
	if err != nil {
		return err
	}
	if err := w.mayOpen(ctx, op, key, prompt); err != nil {
		return err
	}
	if err := w.open(ctx, prompt); err != nil {
		return err
	}
	if err := use(ctx, w); err != nil {
		return err
	}
	if !w.settings.leaveOpen {
		keep = true
		k.hold(conn)
	}
	return nil
}

// isText reports whether s can be a string of D-Bus ("Basic types").
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }
