//go:build unix && !linux

package child

import (
	"os"
	"syscall"
)

// byDefault reports whether a signal ends this process when nobody asks to be
// notified of it. Go's runtime has handlers for the others: it passes over them,
// or prints a trace of its own.
func byDefault(s syscall.Signal) bool {
	switch s {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL:
		return true
	default:
		return false
	}
}

// isIgnored knows of none.
func isIgnored(os.Signal) bool { return false }
