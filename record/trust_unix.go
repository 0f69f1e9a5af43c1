//go:build unix

package record

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// No link in place of a file that was resolved, and no waiting for whoever
// writes to a named pipe.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// untrusted returns why a record file cannot be relied on, or "".
//
// Reading by others does no harm, as there is no secret in it. Whoever can
// write it can send the next token to another keyring; but writing by the
// group is what a umask of 002 gives on systems where each user has a group of
// their own, Maestral's files among them, so only writing by everybody is
// refused. A file of the superuser is one that the system provides.
func untrusted(info fs.FileInfo, forWriting bool) string {
	owner, ours := ownership(info)
	switch {
	case ours:
	case forWriting:
		// Replacing it would make it ours, and shut its owner out.
		return fmt.Sprintf("belongs to another user (uid %d)", owner)
	case owner != 0 && os.Geteuid() != 0:
		return fmt.Sprintf("belongs to another user (uid %d)", owner)
	}
	if info.Mode().Perm()&0o002 != 0 {
		return "can be written by everybody; take that right away with chmod o-w"
	}
	return ""
}

// exposed returns why a file with something to hide cannot be used, or "".
func exposed(info fs.FileInfo) string {
	owner, ours := ownership(info)
	switch {
	case !ours:
		return fmt.Sprintf("belongs to another user (uid %d)", owner)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Sprintf("is open to others (mode %#o)", info.Mode().Perm())
	}
	return ""
}

func ownership(info fs.FileInfo) (owner uint32, ours bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return stat.Uid, int(stat.Uid) == os.Geteuid()
}
