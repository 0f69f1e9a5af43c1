package child

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// byDefault has a signal do what it does to a program without handlers, and
// reports whether it does now. Go's runtime keeps a handler for nearly every
// signal, also for those that nobody asked to be notified of: it passes over
// most of them, and prints a trace of its own and exits with 2 at SIGQUIT,
// SIGSEGV, SIGABRT and what else tells of a crash.
func byDefault(s syscall.Signal) bool {
	if s == syscall.SIGKILL {
		return true // nobody can handle it
	}
	// Larger than the kernel's struct sigaction anywhere. All zero is SIG_DFL,
	// without flags, whatever the order of its fields.
	var action [64]byte
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&action)), 0, sizeofSigset, 0, 0)
	return errno == 0
}

// isIgnored reports whether a signal is ignored. Of most it cannot be known how it
// was when this program began: Go's runtime has put its handler there.
func isIgnored(s os.Signal) bool {
	number, ok := s.(syscall.Signal)
	if !ok {
		return false
	}
	// The handler is the first field, but on MIPS, where the call is refused.
	var action [8]uintptr
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(number), 0, uintptr(unsafe.Pointer(&action)), sizeofSigset, 0, 0)
	const ignore = 1 // SIG_IGN
	return errno == 0 && action[0] == ignore
}

// sizeofSigset is the size of the kernel's sigset_t, in bytes, on all
// architectures but MIPS. There the call is refused.
const sizeofSigset = 8
