//go:build unix

package registry

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// No waiting for whoever writes to a named pipe. A symbolic link is followed,
// as people keep settings in a folder of dot files.
const openFlags = syscall.O_NONBLOCK

// untrusted returns why a file cannot be relied on, or "". Reading by others
// does no harm, and writing by the group is what a umask of 002 gives where each
// user has a group of their own.
func untrusted(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return fmt.Sprintf("belongs to another user (uid %d)", stat.Uid)
	case info.Mode().Perm()&0o002 != 0:
		return "can be written by everybody; take that right away with chmod o-w"
	}
	return ""
}
