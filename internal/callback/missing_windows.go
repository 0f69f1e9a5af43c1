package callback

import (
	"errors"
	"syscall"
)

// Errors of Winsock that package syscall does not name.
const (
	wsaeProtoNoSupport = syscall.Errno(10043)
	wsaeAFNoSupport    = syscall.Errno(10047)
	wsaeAddrInUse      = syscall.Errno(10048)
	wsaeAddrNotAvail   = syscall.Errno(10049)
)

// isMissing reports whether this machine does not have the address at all.
func isMissing(err error) bool {
	return errors.Is(err, wsaeAddrNotAvail) || errors.Is(err, wsaeAFNoSupport) || errors.Is(err, wsaeProtoNoSupport)
}

// isTaken reports whether the address is another program's.
func isTaken(err error) bool { return errors.Is(err, wsaeAddrInUse) }
