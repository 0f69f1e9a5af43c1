package child

import (
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

// sizeofSigset is the size of the kernel's sigset_t, in bytes, on all
// architectures but MIPS. There the call is refused.
const sizeofSigset = 8
