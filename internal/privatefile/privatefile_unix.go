//go:build unix

package privatefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/authring/authring/internal/cure"
)

// Open opens a file that only this user can have written and can read. All
// is asked of the open file, so that nobody can put another in its place
// between question and use.
func Open(path string) (_ *os.File, err error) {
	// Without O_NONBLOCK a named pipe would wait for its other end.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EMLINK) {
		return nil, fmt.Errorf("%s is a symbolic link, which is not followed", path)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		command := cure.Command("mv", path, path+".old")
		return nil, cure.With(fmt.Errorf("%s is not a regular file: move it away, with: %s", path, command), command)
	}
	if owner, ok := ownerOf(info); !ok || owner != os.Geteuid() {
		return nil, fmt.Errorf("%s belongs to another user (%d)", path, owner)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		command := cure.Command("chmod", "600", path)
		return nil, cure.With(fmt.Errorf("others may read or change %s (mode %04o): if you trust what it holds, run: %s", path, mode, command), command)
	}
	return f, nil
}

// CheckFolder refuses a folder in which others can put files. One that is
// not there will be made.
func CheckFolder(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if owner, ok := ownerOf(info); !ok || owner != os.Geteuid() {
		return fmt.Errorf("the folder %s belongs to another user (%d)", dir, owner)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		command := cure.Command("chmod", "go-w", dir)
		return cure.With(fmt.Errorf("others may change the folder %s (mode %04o): run: %s", dir, mode, command), command)
	}
	return nil
}

func ownerOf(info fs.FileInfo) (int, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1, false
	}
	return int(stat.Uid), true
}

// Writable tells whether a file could be made at path, with the folders above
// it that are missing.
func Writable(path string) error {
	dir := filepath.Dir(path)
	for {
		err := unix.Access(dir, unix.W_OK|unix.X_OK)
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir {
			if err != nil {
				return fmt.Errorf("could not write to the folder %s: %w", dir, err)
			}
			return nil
		}
		dir = filepath.Dir(dir)
	}
}
