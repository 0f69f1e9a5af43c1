//go:build unix

package agentclient

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// CheckPlace makes sure that only this user can have made the socket at path:
// its folder, and the one above, must be the user's own, and be closed to
// others. What is not there yet is no error. The socket itself may be one that
// others could read, which is no way to connect, as systemd-socket-activate(1)
// makes it.
func CheckPlace(path string) error {
	folder := filepath.Dir(path)
	if err := check(filepath.Dir(folder), os.Stat, fs.ModeDir, 0o022); err != nil {
		return err
	}
	if err := check(folder, os.Lstat, fs.ModeDir, 0o077); err != nil {
		return err
	}
	return check(path, os.Lstat, fs.ModeSocket, 0o022)
}

func check(path string, stat func(string) (fs.FileInfo, error), kind, closed fs.FileMode) error {
	info, err := stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != kind {
		if kind == fs.ModeSocket {
			return errors.New(path + " is not a socket")
		}
		return errors.New(path + " is not a folder")
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Geteuid() {
		return errors.New(path + " belongs to another user")
	}
	if info.Mode().Perm()&closed != 0 {
		return errors.New("others may use " + path + ": close it to them (chmod go-rwx), or remove it")
	}
	return nil
}
