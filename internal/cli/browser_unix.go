//go:build unix

package cli

import (
	"os/exec"
	"syscall"
)

// detach starts cmd in a session of its own, away from our terminal.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// restingFolder is where a program is that stays: a disk that a program is on
// cannot be unmounted.
func restingFolder() string { return "/" }
