package daemontest

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha512"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/needs"
)

// The wallet that KDE uses for the passwords of programs, and the password
// that [StartKWallet] gives it.
const (
	WalletName     = "kdewallet"
	WalletPassword = "wallet-password"
)

const (
	kwalletName = "org.kde.kwalletd5"
	kwalletPath = dbus.ObjectPath("/modules/kwalletd5")
	kwalletCall = "org.kde.KWallet."
)

// KWallet is kwalletd5 on a desk.
type KWallet struct {
	desk *Desk
	bus  *dbus.Conn
	cmd  *exec.Cmd
	env  []string
	salt []byte
}

// KWalletOption changes how [StartKWallet] leaves the daemon.
type KWalletOption func(*kwalletOptions)

type kwalletOptions struct {
	closed, noWallet, secrets bool
	display                   string
	settings                  []string
}

// WithClosedWallet leaves the wallet closed: it opens with [WalletPassword].
func WithClosedWallet() KWalletOption { return func(o *kwalletOptions) { o.closed = true } }

// WithoutWallet starts as on the first day: there is no wallet yet.
func WithoutWallet() KWalletOption { return func(o *kwalletOptions) { o.noWallet = true } }

// WithSecretService lets kwalletd5 serve the Secret Service too, for which
// the wallet has to exist before it starts.
func WithSecretService() KWalletOption { return func(o *kwalletOptions) { o.secrets = true } }

// WithDisplay shows the dialogs on a display (see [StartDisplay]) where
// otherwise nobody can see them.
func WithDisplay(display string) KWalletOption {
	return func(o *kwalletOptions) { o.display = display }
}

// WithWalletSetting adds a line, such as "Prompt on Open=true", to the group
// [Wallet] of kwalletrc; it takes precedence over what stands there before.
func WithWalletSetting(line string) KWalletOption {
	return func(o *kwalletOptions) { o.settings = append(o.settings, line) }
}

// StartKWallet starts kwalletd5 on the desk with a wallet of its own that is
// open, and waits until it answers.
func StartKWallet(tb testing.TB, d *Desk, opts ...KWalletOption) *KWallet {
	tb.Helper()
	needs.Programs(tb, "kwalletd5")
	var o kwalletOptions
	for _, opt := range opts {
		opt(&o)
	}
	w := &KWallet{desk: d, bus: d.Connect(tb), salt: []byte(strings.Repeat("authring", 7))}
	w.env = d.Environ("QT_QPA_PLATFORM=offscreen")
	if o.display != "" {
		w.env = d.Environ("QT_QPA_PLATFORM=xcb", "DISPLAY="+o.display)
	}
	if !o.noWallet {
		w.configure(tb, nil, false)
		w.Start(tb)
		w.Open(tb)
		w.Close(tb)
		w.Stop(tb)
	}
	w.configure(tb, o.settings, o.secrets)
	w.Start(tb)
	if !o.noWallet && !o.closed {
		w.Open(tb)
	}
	return w
}

func (w *KWallet) configure(tb testing.TB, settings []string, secrets bool) {
	tb.Helper()
	values := []string{
		"Enabled=true", "First Use=false", "Prompt on Open=false", "Leave Open=true",
		"Close When Idle=false", "Use One Wallet=true", "Default Wallet=" + WalletName,
	}
	var text strings.Builder
	text.WriteString("[Wallet]\n" + strings.Join(append(values, settings...), "\n") + "\n\n")
	text.WriteString("[org.freedesktop.secrets]\napiEnabled=")
	if secrets {
		text.WriteString("true\n")
	} else {
		text.WriteString("false\n")
	}
	for path, content := range map[string]string{
		filepath.Join(w.desk.Home, ".config", "kwalletrc"):                            text.String(),
		filepath.Join(w.desk.Home, ".local", "share", "kwalletd", WalletName+".salt"): string(w.salt),
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
}

// Start starts the daemon again after [KWallet.Stop], with its wallet closed.
func (w *KWallet) Start(tb testing.TB) {
	tb.Helper()
	w.Launch(tb)
	WaitForName(tb, w.bus, kwalletName)
}

// Launch starts the daemon and does not wait for it.
func (w *KWallet) Launch(tb testing.TB) {
	tb.Helper()
	w.cmd = exec.Command("kwalletd5")
	w.cmd.Env, w.cmd.Dir = w.env, w.desk.Home
	start(tb, w.cmd)
}

// Stop kills the daemon, without a chance to say goodbye.
func (w *KWallet) Stop(tb testing.TB) {
	tb.Helper()
	stop(w.cmd)
	WaitForNoName(tb, w.bus, kwalletName)
}

// Pid returns the process of the daemon.
func (w *KWallet) Pid() int { return w.cmd.Process.Pid }

// Open opens the wallet as the login does, with no dialog, and creates it
// where there is none.
func (w *KWallet) Open(tb testing.TB) {
	tb.Helper()
	// kwalletd: backend/kwalletbackend.cc, password2PBKDF2_SHA512.
	hash, err := pbkdf2.Key(sha512.New, WalletPassword, w.salt, 50_000, 56)
	if err != nil {
		tb.Fatal(err)
	}
	w.call(tb, "pamOpen", nil, WalletName, hash, int32(0))
	if !w.IsOpen(tb) {
		tb.Fatal("kwalletd5 did not open the wallet")
	}
}

// Close closes the wallet, whoever uses it, and saves it.
func (w *KWallet) Close(tb testing.TB) {
	tb.Helper()
	w.call(tb, "closeAllWallets", nil)
	if w.IsOpen(tb) {
		tb.Fatal("kwalletd5 did not close the wallet")
	}
}

// IsOpen reports whether the wallet is open.
func (w *KWallet) IsOpen(tb testing.TB) (open bool) {
	tb.Helper()
	w.call(tb, "isOpen", &open, WalletName)
	return open
}

// Users lists the programs that use the wallet.
func (w *KWallet) Users(tb testing.TB) (users []string) {
	tb.Helper()
	w.call(tb, "users", &users, WalletName)
	return users
}

func (w *KWallet) call(tb testing.TB, method string, result any, args ...any) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	call := w.bus.Object(kwalletName, kwalletPath).CallWithContext(ctx, kwalletCall+method, 0, args...)
	err := call.Err
	if err == nil && result != nil {
		err = call.Store(result)
	}
	if err != nil {
		tb.Fatalf("kwalletd5, %s: %v", method, err)
	}
}

// WriteEntry writes an entry of any type (1 password, 2 stream, 3 map) with
// its raw value.
func (w *KWallet) WriteEntry(tb testing.TB, folder, key string, kind int32, value []byte) {
	tb.Helper()
	var code int32
	w.call(tb, "writeEntry", &code, w.handle(tb), folder, key, value, kind, "daemontest")
	if code != 0 {
		tb.Fatalf("kwalletd5, writeEntry: %d", code)
	}
}

// Entries lists the entries of a folder.
func (w *KWallet) Entries(tb testing.TB, folder string) (entries []string) {
	tb.Helper()
	w.call(tb, "entryList", &entries, w.handle(tb), folder, "daemontest")
	return entries
}

// handle opens the wallet, which is open, for the test.
func (w *KWallet) handle(tb testing.TB) (handle int32) {
	tb.Helper()
	w.call(tb, "open", &handle, WalletName, int64(0), "daemontest")
	return handle
}
