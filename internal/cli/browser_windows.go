package cli

import (
	"os"
	"os/exec"

	"golang.org/x/sys/windows"
)

// detach starts cmd away from our console, with one of its own that is not
// shown: a console stays on the screen for as long as a program is in it, and
// its end is that of all programs in it.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &windows.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW | windows.CREATE_NEW_PROCESS_GROUP}
}

// restingFolder is where a program is that stays: a folder that a program is in
// cannot be removed, nor can the disk that it is on.
func restingFolder() string { return os.Getenv("SystemRoot") }
