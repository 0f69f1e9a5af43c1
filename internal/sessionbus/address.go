package sessionbus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/godbus/dbus/v5"
)

// ErrNoBus says that this process belongs to no desktop session with a bus:
// nothing names one, and there is none at the usual place.
var ErrNoBus = errors.New("no session bus: DBUS_SESSION_BUS_ADDRESS is not set and $XDG_RUNTIME_DIR/bus does not exist")

// Address returns the address of the session bus: the value of
// DBUS_SESSION_BUS_ADDRESS, or the socket $XDG_RUNTIME_DIR/bus, which must be
// our own. The error is [ErrNoBus] where there is neither.
//
// The D-Bus specification ("Well-known Message Bus Instances") lets a client
// start a bus when it finds none. That is never done here: such a bus holds
// no keyring, and outlives the program that started it. The autolaunch
// transport, which means the same, is passed over.
func Address() (string, error) {
	if address := withoutAutolaunch(os.Getenv("DBUS_SESSION_BUS_ADDRESS")); address != "" {
		return address, nil
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	// The XDG base directory specification: paths must be absolute, others
	// are to be ignored.
	if !filepath.IsAbs(dir) {
		return "", ErrNoBus
	}
	socket := filepath.Join(dir, "bus")
	info, err := os.Stat(socket)
	if errors.Is(err, os.ErrNotExist) {
		return "", ErrNoBus
	}
	if err != nil {
		return "", fmt.Errorf("could not look at the session bus: %w", err)
	}
	if info.Mode().Type() != os.ModeSocket {
		return "", fmt.Errorf("%s is not a socket", socket)
	}
	if !ownedByUs(info) {
		return "", fmt.Errorf("%s belongs to another user", socket)
	}
	return "unix:path=" + dbus.EscapeBusAddressValue(socket), nil
}

// withoutAutolaunch drops those of the addresses, which semicolons separate,
// that ask for a bus to be started.
func withoutAutolaunch(addresses string) string {
	var kept []string
	for address := range strings.SplitSeq(addresses, ";") {
		if address != "" && !strings.HasPrefix(address, "autolaunch:") {
			kept = append(kept, address)
		}
	}
	return strings.Join(kept, ";")
}

// socketName returns the Unix socket of one address, as package net names it.
// Only Unix sockets are taken: what crosses them stays on this machine, and
// the kernel says who speaks. An address may not run a program for us either
// (unixexec).
func socketName(address string) (string, error) {
	transport, pairs, _ := strings.Cut(address, ":")
	if transport != "unix" {
		return "", fmt.Errorf("a session bus over %q is not supported, only Unix sockets are", transport)
	}
	for pair := range strings.SplitSeq(pairs, ",") {
		key, escaped, _ := strings.Cut(pair, "=")
		if key != "path" && key != "abstract" {
			continue
		}
		value, err := dbus.UnescapeBusAddressValue(escaped)
		if err != nil || value == "" {
			return "", errors.New("the address of the session bus is malformed")
		}
		if key == "abstract" {
			return "@" + value, nil
		}
		return value, nil
	}
	return "", errors.New("the address of the session bus names no socket")
}
