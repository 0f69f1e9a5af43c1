package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/cure"
	"github.com/authring/authring/internal/sessionbus"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

// Names of the Secret Service specification.
const (
	secretsName = "org.freedesktop.secrets"
	secretsPath = dbus.ObjectPath("/org/freedesktop/secrets")
	serviceName = "org.freedesktop.Secret.Service"
	collection  = "org.freedesktop.Secret.Collection"
)

// bus looks at the session bus, and at who serves secrets on it.
func (e *examination) bus(ctx context.Context) []Finding {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return nil // no keyring of these is reached over it
	}
	address, err := sessionbus.Address()
	if err != nil {
		return []Finding{e.noBus(ctx, err)}
	}
	conn, err := sessionbus.ConnectTo(ctx, address)
	if err != nil {
		f := Finding{
			ID: "bus-unreachable", Severity: Fail, Cause: Unavailable, Title: "The session bus cannot be reached",
			Detail: address + ": " + err.Error(), Cure: "systemctl --user status dbus.socket",
		}
		if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
			f.ID, f.Title = "bus-silent", "The session bus did not answer"
		}
		// Left over from a session that has ended, as in a screen or tmux.
		switch other := e.usualSocket(); {
		case e.Getenv("DBUS_SESSION_BUS_ADDRESS") == "":
		case other != "" && address != "unix:path="+other:
			f.Cure = "export DBUS_SESSION_BUS_ADDRESS=unix:path=" + other
		case other == "":
			f.Cure = cure.Unset("DBUS_SESSION_BUS_ADDRESS")
		}
		return []Finding{f}
	}
	defer conn.Close()
	b := bus{e, conn}
	// Side by side, as one that hangs must not take the time of the other.
	wallets := make(chan []Finding, 1)
	go func() { wallets <- e.safely(ctx, b.wallets) }()
	found := []Finding{{ID: "bus-answers", Title: "The session bus answers", Detail: address}}
	found = append(found, b.secretService(ctx)...)
	return append(found, <-wallets...)
}

// providerBound is how long who offers secrets may take for an answer, so that
// there is time left to find out who that is.
const providerBound = 4 * time.Second

func (e *examination) noBus(ctx context.Context, err error) Finding {
	f := Finding{ID: "bus-absent", Severity: Warn, Title: "There is no session bus", Detail: err.Error()}
	f.Severity, f.Cure = e.withoutBus(ctx)
	if !errors.Is(err, sessionbus.ErrNoBus) {
		f.ID, f.Severity, f.Title, f.Cause = "bus-refused", Fail, "The session bus cannot be used", Unavailable
		f.Cure = cure.Unset("XDG_RUNTIME_DIR")
	}
	switch usual := e.usualSocket(); {
	case usual != "":
		// The session is there: cron, su, or a service is outside of it.
		f.Detail += "; your session has one"
		f.Cure = "export XDG_RUNTIME_DIR=" + filepath.Dir(usual)
	case e.Getenv("SSH_CONNECTION") != "":
		f.Detail += "; over SSH there is one only while you are logged in at the desktop too, or where your account lingers"
		f.Cure = "loginctl enable-linger"
	}
	return f
}

// withoutBus tells how much a bus is missed, and what does without one.
func (e *examination) withoutBus(ctx context.Context) (Severity, string) {
	rec, known := e.chosen()
	if needs := rec.Keyring == keyring.SecretService || rec.Keyring == keyring.KWallet || rec.Keyring == ""; known && !needs {
		return Note, "authring keyrings"
	}
	return Warn, e.towardsSealed(ctx)
}

// chosen is the record of the chosen link, if it can be read.
func (e *examination) chosen() (record.Record, bool) {
	if e.layoutErr != nil {
		return record.Record{}, false
	}
	rec, err := e.layout.Load(e.Config)
	return rec, err == nil
}

// towardsSealed is the command by which the chosen link comes into the keyring
// that needs nothing of the desktop.
func (e *examination) towardsSealed(ctx context.Context) string {
	encrypted := []string{"--keyring", string(keyring.Sealed)}
	switch rec, known := e.chosen(); {
	case !known, rec.Keyring == keyring.Sealed, e.layout.CheckKeyring(keyring.Sealed) != nil:
		return "authring keyrings"
	case rec.Empty():
		return e.Command(e.Config, "link", encrypted...)
	case rec.Keyring == keyring.Plaintext || e.hasSecret(ctx, e.Config, rec):
		return e.migrate(e.Config, keyring.Sealed)
	default:
		return e.Command(e.Config, "link", append([]string{"--relink"}, encrypted...)...)
	}
}

// usualSocket is the bus of the user's session where logind puts it, if it is
// there.
func (e *examination) usualSocket() string {
	path := fmt.Sprintf("/run/user/%d/bus", os.Geteuid())
	if info, err := os.Stat(path); err != nil || info.Mode().Type() != os.ModeSocket {
		return ""
	}
	return path
}

// bus is a connection to ask with.
type bus struct {
	*examination
	conn *dbus.Conn
}

// ask calls a method of the bus itself.
func (b bus) ask(ctx context.Context, method string, result any, args ...any) error {
	return b.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus."+method, 0, args...).Store(result)
}

// owner returns the program that has a name, in words, and its unique name;
// both are empty where nobody has it.
func (b bus) owner(ctx context.Context, name string) (who, owner string, err error) {
	err = b.ask(ctx, "GetNameOwner", &owner, name)
	var remote dbus.Error
	if errors.As(err, &remote) && remote.Name == "org.freedesktop.DBus.Error.NameHasNoOwner" {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	var pid uint32
	if err := b.ask(ctx, "GetConnectionUnixProcessID", &pid, owner); err != nil {
		return "a program that the bus does not name", owner, nil
	}
	return fmt.Sprintf("%s (pid %d)", programName(int(pid)), pid), owner, nil
}

func (b bus) startable(ctx context.Context, name string) bool {
	var names []string
	err := b.ask(ctx, "ListActivatableNames", &names)
	return err == nil && slices.Contains(names, name)
}

// askOwner asks the bus which process has a name.
func askOwner(name string) string {
	return "gdbus call --session -d org.freedesktop.DBus -o /org/freedesktop/DBus -m org.freedesktop.DBus.GetConnectionUnixProcessID " + name
}

// hung adds to a finding about a provider that has the name and does not answer
// what stirs it: to have it go on, to open a database where that is what is
// waited for, or to end it, since its next use, or its user, starts it again.
func (b bus) hung(ctx context.Context, owner, who string, f Finding) Finding {
	var pid uint32
	err := b.ask(ctx, "GetConnectionUnixProcessID", &pid, owner)
	f.mends = keyring.SecretService
	switch {
	case err != nil:
		f.Cure = askOwner(secretsName)
	case isStopped(int(pid)):
		f.Detail, f.Cure = "the process is stopped", fmt.Sprintf("kill -CONT %d", pid)
	case strings.HasPrefix(who, "keepassxc"):
		f.Cure = manager(who)
	default:
		f.Cure = fmt.Sprintf("kill %d", pid)
	}
	return f
}

// silent is what stands where an answer should be.
func silent(id, title string, err error, cure string) Finding {
	f := Finding{ID: id, Severity: Fail, Cause: Unavailable, Title: title, Cure: cure}
	var remote dbus.Error
	switch {
	case err == nil:
		f.Detail = "its answer makes no sense"
	case errors.As(err, &remote):
		f.Detail = "it answered with the error " + remote.Name
	default:
		f.Detail = "it did not answer; a password manager with no database open does this"
	}
	return f
}

// manager is the program in which its user opens or makes a keyring.
func manager(who string) string {
	switch {
	case strings.HasPrefix(who, "keepassxc"):
		return "keepassxc"
	case strings.HasPrefix(who, "kwalletd"), strings.HasPrefix(who, "ksecretd"):
		return "kwalletmanager5"
	default:
		return "seahorse"
	}
}
