//go:build unix

package doctor

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// namesFold: small letters and capitals are the same in the name of a variable.
const namesFold = false

// soundFiles is what was found out if nothing is wrong.
const soundFiles = "Files and folders belong to you, and others cannot write them"

// writable asks without writing.
func writable(path string) error {
	if err := unix.Access(path, unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "write to", Path: path, Err: err}
	}
	return nil
}

// passable asks whether one may go through a folder, and, at the end of the
// way, read what is there and write to a folder. Files are replaced, and not
// written to.
func passable(path string, folder, last bool) error {
	var rights uint32
	if last {
		rights = unix.R_OK
	}
	if folder {
		rights |= unix.X_OK
	}
	if folder && last {
		rights |= unix.W_OK
	}
	return unix.Access(path, rights)
}

// readOnly reports whether the file system is to blame, and no right.
func readOnly(err error) bool { return errors.Is(err, unix.EROFS) }

// foreigner returns the owner of a file that is somebody else's.
func foreigner(info fs.FileInfo) (owner uint32, foreign bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return stat.Uid, int(stat.Uid) != os.Geteuid()
}

func openTo(info fs.FileInfo, rights fs.FileMode) bool {
	// Many systems open folders of a user to the reading of others.
	return info.Mode().Perm()&rights != 0
}
