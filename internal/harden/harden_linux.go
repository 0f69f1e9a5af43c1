package harden

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Memory keeps debuggers of the same user out of this process, and its memory
// out of core dumps. It costs a system call, can be called again, and ends
// with an execve(2).
//
// The files of the process in /proc belong to root from then on (proc(5)), so
// that no other process of the user can see which program it runs; nor can the
// agent, whose policy is by that.
func Memory() Done {
	// PR_SET_DUMPABLE(2const): "Processes that are not dumpable can not be
	// attached via ptrace(2) PTRACE_ATTACH". Not even a program that the
	// system pipes dumps to gets one, for which RLIMIT_CORE does not count
	// (core(5)).
	return Done{NotDumpable: unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) == nil}
}

// Server is Memory and more, for a process that stays, and that starts
// nothing that may need rights or a core dump of its own. What could not be
// had is missing in the result.
func Server() Done {
	d := Memory()
	d.NoCore = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) == nil
	// It counts for a thread, and a child is started from any of them. In a
	// build with cgo there are threads that Go does not know of.
	_, _, errno := syscall.AllThreadsSyscall(syscall.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0)
	d.NoNewPrivileges = errno == 0
	// Pages are locked as they are used. With a limit, memory that is asked
	// for later would be refused, which no Go program survives.
	if memoryUnlimited() {
		d.Locked = unix.Mlockall(unix.MCL_CURRENT|unix.MCL_FUTURE|unix.MCL_ONFAULT) == nil
	}
	return d
}

// memoryUnlimited reports whether any amount of memory may be locked.
func memoryUnlimited() bool {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err == nil && limit.Cur == unix.RLIM_INFINITY {
		return true
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_IPC_LOCK) != 0
}
