package child

import "syscall"

// attributes has the system kill the command when this process dies: nothing
// would pass signals on to it any more, and what it was given to get tokens
// from is gone. To kill the one was always to kill the other, when this program
// is replaced by the command.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
