package policy

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mostParents bounds the way up from an authring that was started by another.
const mostParents = 8

// Identify finds out what a process is. alive tells, by something better than
// the number, whether it is still there: it is asked when all is read, since a
// number can be that of another process by then. For a process that runs this
// very program it is its parent that is identified: the tool asks on behalf of
// who started it. The path is what other systems go by.
//
// A process can run another program between its request and this look, and
// can hand its connection to another. That cannot be seen.
func Identify(pid int, _ string, alive func() error) (Process, error) {
	if pid <= 0 {
		return Process{}, fmt.Errorf("%w: it is in a container of its own", ErrUnidentified)
	}
	p, tool := look(pid), ourFiles()
	via, parents := 0, map[int]int{}
	for n := 0; p.Exe != nil && !p.Foreign && slices.ContainsFunc(tool, func(f os.FileInfo) bool { return os.SameFile(f, p.Exe) }); n++ {
		parent, err := parentOf(p.PID)
		if err != nil || parent <= 0 || n == mostParents {
			return Process{}, fmt.Errorf("%w: nobody knows who started authring (pid %d)", ErrUnidentified, p.PID)
		}
		via, parents[p.PID] = pid, parent
		p = look(parent)
	}
	p.Via = via
	// A parent that ends leaves its children to another: as long as they have
	// it, its number is its own.
	for child, parent := range parents {
		if now, err := parentOf(child); err != nil || now != parent {
			return Process{}, fmt.Errorf("%w: who started it has ended", ErrUnidentified)
		}
	}
	if err := alive(); err != nil {
		return Process{}, fmt.Errorf("%w: %w", ErrUnidentified, err)
	}
	return p, nil
}

// helper is the small program beside this one that only asks the agent.
const helper = "authring-token"

// ourFiles are the files of this program: the one that runs, the one that took
// its name in an update, and its helper.
func ourFiles() []os.FileInfo {
	var files []os.FileInfo
	path, err := os.Readlink("/proc/self/exe")
	names := []string{"/proc/self/exe"}
	if err == nil {
		path = strings.TrimSuffix(path, deleted)
		names = append(names, path, filepath.Join(filepath.Dir(path), helper))
	}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			files = append(files, info)
		}
	}
	return files
}

// look reads what can be read of a process. The kernel lets nobody read the
// executable and the namespaces of one that is not dumpable, and its control
// group everybody.
func look(pid int) Process {
	p := Process{PID: pid}
	dir := "/proc/" + strconv.Itoa(pid)
	if text, err := os.ReadFile(dir + "/cgroup"); err == nil {
		p.Cgroup = parseCgroup(string(text))
	}
	ours, err1 := os.Readlink("/proc/self/ns/mnt")
	theirs, err2 := os.Readlink(dir + "/ns/mnt")
	path, err3 := os.Readlink(dir + "/exe")
	// Through the link, and so the file that runs, whatever is at its path
	// by now, and in whatever mounts it is.
	file, err4 := os.Stat(dir + "/exe")
	if errors.Join(err1, err2, err3, err4) != nil {
		return p
	}
	p.Path, p.Exe, p.Foreign = path, file, ours != theirs
	return p
}

// parentOf reads the fourth field of /proc/PID/stat (proc(5)). The second is
// the name of the program, in which there can be anything.
func parentOf(pid int) (int, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return 0, errors.New("could not read who started the process")
	}
	return strconv.Atoi(fields[1])
}

func (p Process) executable() string { return "/proc/" + strconv.Itoa(p.PID) + "/exe" }
