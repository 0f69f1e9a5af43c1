package daemontest

import "os/exec"

// None of the daemons runs on Windows; the package only compiles there.
func ownGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
