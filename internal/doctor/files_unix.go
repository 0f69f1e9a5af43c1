//go:build unix

package doctor

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// writable asks without writing.
func writable(path string) error {
	if err := unix.Access(path, unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "write to", Path: path, Err: err}
	}
	return nil
}

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
