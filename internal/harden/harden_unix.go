//go:build unix && !linux

package harden

import "golang.org/x/sys/unix"

// Memory does nothing here: on macOS only a signed program with a hardened
// runtime keeps debuggers out.
func Memory() Done { return Done{} }

// Server has no core dumps written, of this process and of those that are
// started from here.
func Server() Done {
	return Done{NoCore: unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) == nil}
}
