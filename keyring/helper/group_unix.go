//go:build unix

package helper

import (
	"os/exec"
	"syscall"
)

// isolate puts the helper into a process group of its own, which is killed as
// a whole when the call ends early, and, unless it may ask, into a session
// without a terminal.
func isolate(cmd *exec.Cmd, mayAsk bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: mayAsk, Setsid: !mayAsk}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
