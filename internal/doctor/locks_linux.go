package doctor

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const canSeeLocks = true

// lockHolder looks who holds the lock of a file, without trying to take it.
func lockHolder(info fs.FileInfo) (pid int, held bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	table, err := os.ReadFile("/proc/locks")
	if err != nil {
		return 0, false
	}
	device := uint64(stat.Dev)
	return holderIn(string(table), unix.Major(device), unix.Minor(device), stat.Ino)
}

// holderIn looks a file up in the table of locks (proc_locks(5)):
//
//	1: FLOCK  ADVISORY  WRITE 361 08:01:1234 0 EOF
//
// A line with an arrow is of a process that waits.
func holderIn(table string, major, minor uint32, inode uint64) (pid int, held bool) {
	file := fmt.Sprintf("%02x:%02x:%d", major, minor, inode)
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[1] != "FLOCK" || fields[5] != file {
			continue
		}
		pid, err := strconv.Atoi(fields[4])
		if err != nil {
			continue
		}
		return pid, true
	}
	return 0, false
}
