package doctor

import (
	"fmt"
	"os"
	"strings"
)

// programName is what the kernel calls the program of a process, of which it
// keeps 15 bytes. Not the link exe: that of a program with capabilities, such
// as gnome-keyring, may not be read.
func programName(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || len(strings.TrimSpace(string(name))) == 0 {
		return "a process"
	}
	return strings.TrimSpace(string(name))
}

// isStopped reports whether a process is held up, as by Ctrl-Z: it goes on
// with nothing, and gives nothing back (proc_pid_stat(5), state T or t).
func isStopped(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// The name, in parentheses, may hold anything.
	rest := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
	fields := strings.Fields(rest)
	return len(fields) > 0 && (fields[0] == "T" || fields[0] == "t")
}
