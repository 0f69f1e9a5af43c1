//go:build unix

package callback

import (
	"errors"
	"syscall"
)

// isMissing reports whether this machine does not have the address at all.
func isMissing(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EPROTONOSUPPORT)
}

// isTaken reports whether the address is another program's.
func isTaken(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
