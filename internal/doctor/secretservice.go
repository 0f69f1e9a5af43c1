package doctor

import (
	"context"
	"os/exec"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
)

func (b bus) secretService(ctx context.Context) []Finding {
	who, owner, err := b.owner(ctx, secretsName)
	switch {
	case isDenied(err):
		return []Finding{b.denied(err)}
	case err != nil:
		return []Finding{silent("secret-service-unknown", "It cannot be told who offers a Secret Service", err, askOwner(secretsName))}
	case owner == "" && b.startable(ctx, secretsName):
		return []Finding{{ID: "secret-service-startable", Title: "The Secret Service is not running; its first use starts it"}}
	case owner == "" && b.inFlatpak():
		return []Finding{{
			ID: "flatpak-hidden", Severity: Warn, Title: "No Secret Service is seen from within the Flatpak",
			Detail: "where its bus name is not allowed, the sandbox hides it", Cure: b.flatpakCure(), mends: keyring.SecretService,
		}}
	case owner == "":
		return []Finding{{
			ID: "secret-service-absent", Severity: Note, Title: "No program offers a Secret Service on this bus",
			Detail: "GNOME Keyring, KeePassXC and KWallet can", Cure: startProvider(), mends: keyring.SecretService,
		}}
	}
	found := []Finding{{ID: "secret-service-owner", Title: "The Secret Service is offered by " + who}}
	return append(found, b.collection(ctx, owner, who))
}

// startProvider starts a Secret Service on a bus that cannot do so by itself,
// or installs one.
func startProvider() string {
	if _, err := exec.LookPath("gnome-keyring-daemon"); err == nil {
		return "gnome-keyring-daemon --start --components=secrets"
	}
	return "sudo apt install gnome-keyring"
}

// collection looks at the keyring that new secrets go to.
func (b bus) collection(ctx context.Context, owner, who string) Finding {
	asking, cancel := context.WithTimeout(ctx, min(providerBound, b.Bound/2))
	defer cancel()
	service := b.conn.Object(owner, secretsPath)
	var path dbus.ObjectPath
	for _, alias := range []string{"default", "login"} {
		err := service.CallWithContext(asking, serviceName+".ReadAlias", 0, alias).Store(&path)
		if isDenied(err) {
			return b.denied(err)
		}
		if err != nil {
			return b.hung(ctx, owner, who, silent("collection-unknown", who+" cannot be asked for its default keyring", err, ""))
		}
		if path != "/" {
			break
		}
	}
	if path == "/" {
		return Finding{
			ID: "collection-absent", Severity: Warn, Title: who + " has no default keyring",
			Detail: "log in with your password, open a database, or make a keyring", Cure: manager(who),
		}
	}
	var locked dbus.Variant
	err := b.conn.Object(owner, path).CallWithContext(asking, "org.freedesktop.DBus.Properties.Get", 0, collection, "Locked").Store(&locked)
	name := string(path[strings.LastIndexByte(string(path), '/')+1:])
	switch isLocked, ok := locked.Value().(bool); {
	case isDenied(err):
		return b.denied(err)
	case err != nil || !ok:
		return b.hung(ctx, owner, who, silent("collection-unknown", who+" does not tell whether its default keyring is locked", err, ""))
	case isLocked:
		return Finding{
			ID: "collection-locked", Severity: Warn, Title: "The default keyring is locked (" + name + ")",
			Detail: "after an automatic login it always is", Cure: b.Command(b.Config, "token"),
		}
	}
	return Finding{ID: "collection-open", Title: "The default keyring is unlocked (" + name + ")"}
}
