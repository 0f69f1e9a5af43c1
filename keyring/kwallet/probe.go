package kwallet

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/sessionbus"
	"github.com/authring/authring/keyring"
)

// probeBound is how long a look may take in all.
const probeBound = 3 * time.Second

// Probe tells how KWallet stands. It starts no daemon, opens and creates no
// wallet, and asks nobody. KWallet is preferred in a session of KDE whose
// Secret Service is not KDE's: where nobody serves it, or GNOME Keyring does.
func (k *Keyring) Probe(ctx context.Context) keyring.Status {
	bounded, cancel := context.WithTimeout(ctx, probeBound)
	defer cancel()
	status, err := k.probe(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = &outcome{kind: keyring.ErrUnavailable, detail: "KWallet does not answer"}
	}
	if err != nil {
		status.Availability = keyring.Unavailable
		failure := fail("probe", err).(*keyring.Error)
		if failure.Kind == keyring.ErrAbsent {
			status.Availability = keyring.Absent
		}
		if status.Detail = failure.Detail; status.Detail == "" {
			status.Detail = failure.Err.Error()
		}
	}
	status.Name = "KWallet"
	return status
}

func (k *Keyring) probe(ctx context.Context) (status keyring.Status, err error) {
	conn, err := sessionbus.Connect(ctx)
	if err != nil {
		return status, noBus(err)
	}
	defer conn.Close()
	d, err := running(ctx, conn)
	if err != nil {
		return status, callFailed(ctx, err)
	}
	if d == nil {
		status, err = stopped(ctx, conn)
	} else {
		status, err = k.look(ctx, d)
	}
	status.Preferred = inKDE() && !servesSecrets(ctx, conn)
	return status, err
}

// stopped is the status while no daemon runs.
func stopped(ctx context.Context, conn *dbus.Conn) (keyring.Status, error) {
	f, err := startable(ctx, conn)
	switch {
	case err != nil:
		return keyring.Status{}, callFailed(ctx, err)
	case f == nil:
		return keyring.Status{}, errNone
	case !readSettings().enabled:
		return keyring.Status{}, errOff
	}
	return keyring.Status{Availability: keyring.Startable, Detail: "not running; it starts at the first use"}, nil
}

// look is the status of a daemon that runs.
func (k *Keyring) look(ctx context.Context, d *daemon) (keyring.Status, error) {
	w, err := d.wallet(ctx, k)
	if err != nil {
		return keyring.Status{}, err
	}
	if !w.exists {
		return keyring.Status{Availability: keyring.Locked, Detail: "no wallet yet; KWallet makes one at the first use"}, nil
	}
	if !w.isOpen {
		return keyring.Status{Availability: keyring.Locked, Detail: "the wallet is closed; KWallet opens it at the first use"}, nil
	}
	asks, err := w.asks(ctx)
	if asks {
		return keyring.Status{Availability: keyring.Locked, Detail: "KWallet asks at the first use whether " + k.appID + " may use the wallet"}, err
	}
	return keyring.Status{Availability: keyring.Ready, Detail: "the wallet is open"}, err
}

// inKDE reports whether this is a session of KDE, by what it sets.
func inKDE() bool {
	return slices.Contains(strings.Split(os.Getenv("XDG_CURRENT_DESKTOP"), ":"), "KDE") || os.Getenv("KDE_FULL_SESSION") != ""
}

// servesSecrets reports whether somebody serves the Secret Service whom a
// user of KDE chose: KWallet itself, KeePassXC, anything but GNOME Keyring,
// which other packages bring along. Where nobody can tell, it does.
func servesSecrets(ctx context.Context, conn *dbus.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	var pid uint32
	err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetConnectionUnixProcessID", 0, "org.freedesktop.secrets").Store(&pid)
	if err != nil {
		return !noOwner(err)
	}
	// The kernel keeps the first 15 bytes of the name of a program.
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return err != nil || strings.TrimSpace(string(name)) != "gnome-keyring-d"
}
