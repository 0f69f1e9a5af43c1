package doctor

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
)

// sandbox tells what stands around this process.
func (e *examination) sandbox(ctx context.Context) []Finding {
	var found []Finding
	if name := e.snap(); name != "" {
		found = append(found, Finding{
			ID: "snap", Severity: Note, Title: "This runs as the snap " + name,
			Detail: "it reaches the keyring only if an interface is connected, which does not happen by itself",
			Cure:   "snap connect " + e.Quote(name) + ":password-manager-service",
		})
	}
	if e.inFlatpak() {
		found = append(found, Finding{
			ID: "flatpak", Severity: Note, Title: strings.TrimSpace("This runs as a Flatpak " + e.Getenv("FLATPAK_ID")),
			Detail: "it reaches the keyring only if the bus name is allowed", Cure: e.flatpakCure(),
		})
	}
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if exists(mark) {
			found = append(found, Finding{ID: "container", Severity: Note, Title: "This runs in a container",
				Detail: "a keyring of the desktop is out of reach unless its bus is passed in; the keyring sealed needs none",
				Cure:   e.towardsSealed(ctx)})
			break
		}
	}
	if os.Geteuid() == 0 && e.Getenv("SUDO_USER") != "" {
		found = append(found, Finding{
			ID: "sudo", Severity: Warn, Title: "This runs as root through sudo",
			Detail: "the links and the keyring that are looked at are those of root",
			Cure:   "sudo -u " + e.Quote(e.Getenv("SUDO_USER")) + " -i authring doctor",
		})
	}
	return found
}

func (e *examination) snap() string {
	if e.Getenv("SNAP") == "" {
		return ""
	}
	for _, name := range []string{"SNAP_INSTANCE_NAME", "SNAP_NAME"} {
		if value := e.Getenv(name); value != "" {
			return value
		}
	}
	return "(unknown)"
}

// inFlatpak reports whether this is a Flatpak (flatpak-metadata(5)).
func (e *examination) inFlatpak() bool {
	return e.Getenv("FLATPAK_ID") != "" || exists("/.flatpak-info")
}

func (e *examination) flatpakCure() string {
	id := e.Getenv("FLATPAK_ID")
	if id == "" {
		id = "APP"
	}
	return "flatpak override --user --talk-name=" + secretsName + " " + e.Quote(id)
}

// isDenied reports whether the bus, or what guards it, let a call not pass.
func isDenied(err error) bool {
	var remote dbus.Error
	return errors.As(err, &remote) && remote.Name == "org.freedesktop.DBus.Error.AccessDenied"
}

// denied names who stands between this program and a keyring.
func (e *examination) denied(err error) Finding {
	f := Finding{
		ID: "bus-denied", Severity: Fail, Cause: Unavailable, Title: "The session bus does not let this program speak to the keyring",
		Cure: "cat /proc/self/attr/current", mends: keyring.SecretService,
	}
	switch {
	case e.snap() != "":
		f.Cure = "snap connect " + e.Quote(e.snap()) + ":password-manager-service"
	case e.inFlatpak():
		f.Cure = e.flatpakCure()
	case strings.Contains(strings.ToLower(err.Error()), "apparmor"):
		f.Cure = "sudo journalctl -k -g 'apparmor=.DENIED.' -n 20"
	}
	if strings.Contains(strings.ToLower(err.Error()), "apparmor") {
		f.ID, f.Title = "apparmor-denied", "AppArmor does not let this program speak to the keyring"
	}
	return f
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
