package policy

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
)

// Process is what is known of a process that asks.
type Process struct {
	PID int
	// Path is what the system calls its executable; for people to read. Where
	// that was replaced, Linux puts " (deleted)" behind it.
	Path string
	// Exe is the file itself; nil if it cannot be known, as of a process that
	// is not dumpable.
	Exe os.FileInfo
	// Foreign: its mounts are not ours, as in a container.
	Foreign bool
	// Cgroup is its control group.
	Cgroup string
	// Via is the PID of the authring that asked for it, if one did.
	Via int
}

// deleted is how Linux marks an executable that has no name any more.
const deleted = " (deleted)"

// ErrUnidentified: what a process is could not be found out. It may have
// ended.
var ErrUnidentified = errors.New("the process that asks could not be identified")

// String names a process for people.
func (p Process) String() string {
	if p.Path == "" {
		return fmt.Sprintf("the process %d, whose executable is not known", p.PID)
	}
	return fmt.Sprintf("%s (pid %d)", p.Path, p.PID)
}

// program names what a process runs, and is the same for all that run it.
func (p Process) program() string {
	if p.Path == "" {
		return "a process whose executable is not known"
	}
	return p.Path
}

// SystemUnit is the unit of the system's service manager that a process
// belongs to; "" if none.
func (p Process) SystemUnit() string { return firstUnit(p.Cgroup) }

// Unit is the unit of the user's service manager that a process belongs to;
// "" if none. That manager is itself a service of the system, user@UID.
func (p Process) Unit() string {
	above, below, found := strings.Cut(p.Cgroup, ".service/")
	if !found || !strings.HasPrefix(path.Base(above), "user@") || firstUnit(above+".service") != path.Base(above)+".service" {
		return ""
	}
	return firstUnit("/" + below)
}

// firstUnit is the first part of a path that is a unit with processes: slices
// only hold others, and below a unit are groups that it made for itself.
//
//	"/user.slice/user-1000.slice/user@1000.service/app.slice/a.service"
func firstUnit(cgroup string) string {
	for part := range strings.SplitSeq(strings.TrimPrefix(cgroup, "/"), "/") {
		if isProcessUnit(part) {
			return part
		}
		if !strings.HasSuffix(part, ".slice") {
			return ""
		}
	}
	return ""
}

// isProcessUnit reports whether a name is that of a unit that has processes
// (systemd.unit(5)).
func isProcessUnit(name string) bool {
	at := strings.LastIndexByte(name, '.')
	if at <= 0 || len(name) > 255 {
		return false
	}
	switch name[at:] {
	case ".service", ".scope", ".socket", ".mount", ".swap":
	default:
		return false
	}
	return !strings.ContainsFunc(name, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune(`:-_.\@`, c))
	})
}

// parseCgroup returns the control group of a process from the text of
// /proc/PID/cgroup (cgroups(7)): that of version 2, or, where that has none of
// the processes, the one of systemd. A group outside of ours, or one that is
// gone, is "".
func parseCgroup(text string) string {
	unified, systemd := "", ""
	for line := range strings.Lines(text) {
		hierarchy, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, group, ok := strings.Cut(rest, ":")
		switch {
		case !ok, !path.IsAbs(group), path.Clean(group) != group, strings.HasPrefix(group, "/.."), strings.HasSuffix(group, deleted):
		case hierarchy == "0" && controllers == "":
			unified = group
		case controllers == "name=systemd":
			systemd = group
		}
	}
	if unified == "" || unified == "/" {
		unified = systemd
	}
	if unified == "/" {
		return ""
	}
	return unified
}
