//go:build unix

package cli

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// detach starts cmd in a session of its own, away from our terminal, and with
// none of the descriptors that this process was given: a lock that a script
// holds on one (flock 9), or a pipe that somebody reads to its end, would be
// held for as long as cmd runs.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	for _, fd := range given() {
		syscall.CloseOnExec(fd)
	}
}

// given are the descriptors of this process beyond the first three. What Go has
// opened is closed at an exec anyway.
func given() (fds []int) {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		for fd := 3; fd < 256; fd++ {
			fds = append(fds, fd)
		}
		return fds
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			fds = append(fds, fd)
		}
	}
	return fds
}

// restingFolder is where a program is that stays: a disk that a program is on
// cannot be unmounted.
func restingFolder() string { return "/" }
