package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine is what a reader needs to know of the machine, by its properties.
type machine struct {
	cores          int
	system, golang string
	versions       []string // of the programs from packages, "gnome-keyring 42.1"
}

// packages are those that the figures depend on.
var packages = []string{"gnome-keyring", "dbus-daemon", "libsecret-tools", "python3-keyring", "python3-secretstorage", "oidc-agent-cli", "gh"}

func thisMachine() machine {
	m := machine{cores: runtime.NumCPU(), system: runtime.GOOS, golang: strings.TrimPrefix(runtime.Version(), "go")}
	if version, err := os.ReadFile("/etc/debian_version"); err == nil {
		m.system = "Debian " + strings.TrimSpace(string(version))
	}
	m.system += ", " + runtime.GOARCH
	for _, name := range packages {
		version, err := exec.Command("dpkg-query", "-W", "-f=${Version}", name).Output()
		if err != nil {
			continue // not a Debian; the rest is told all the same
		}
		m.versions = append(m.versions, name+" "+upstream(string(version)))
	}
	return m
}

// load1 tells how busy the machine was before.
func load1() string {
	text, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(text)); err == nil && len(fields) > 0 {
		return "load average of the minute before: " + fields[0] + "."
	}
	return "the load of the machine is not known."
}

// upstream cuts a Debian version down to that of the program.
func upstream(version string) string {
	if _, after, found := strings.Cut(version, ":"); found {
		version = after
	}
	if i := strings.LastIndexByte(version, '-'); i > 0 {
		version = version[:i]
	}
	return version
}

func (m machine) String() string {
	return fmt.Sprintf("%d cores, %s, Go %s; %s", m.cores, m.system, m.golang, strings.Join(m.versions, ", "))
}
