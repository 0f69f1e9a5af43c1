package sealed

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// endPlugins kills the plugins that this process runs, with all that they
// started. Package age waits for them without a bound, and keeps to itself what
// it runs: they are told by their parent, and by the option that every plugin
// is called with.
func endPlugins() {
	for _, pid := range plugins() {
		_ = syscall.Kill(pid, syscall.SIGSTOP) // it starts no more
	}
	for _, pid := range plugins() { // whole, before any is killed: that takes its mark away
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// plugins lists them, and what descends from them.
func plugins() (list []int) {
	parents := map[int]int{}
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		if pid, err := strconv.Atoi(filepath.Base(folder)); err == nil {
			parents[pid] = parent(folder)
		}
	}
	for pid := range parents {
		if of := ours(pid, parents); of != 0 && isPluginProcess(of) {
			list = append(list, pid)
		}
	}
	return list
}

// parent reads proc_pid_stat(5): the name of a process is in brackets and may
// hold anything, its state and its parent follow.
func parent(folder string) int {
	stat, err := os.ReadFile(filepath.Join(folder, "stat"))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	pid, _ := strconv.Atoi(string(fields[1]))
	return pid
}

// ours is the child of this process that pid descends from, or is. Without one
// it is 0.
func ours(pid int, parents map[int]int) int {
	for range len(parents) { // processes that come and go could make a circle
		up := parents[pid]
		if up == os.Getpid() {
			return pid
		}
		if up == 0 {
			return 0
		}
		pid = up
	}
	return 0
}

func isPluginProcess(pid int) bool {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	return err == nil && bytes.Contains(line, []byte("\x00--age-plugin="))
}
