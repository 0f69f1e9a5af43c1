//go:build unix

package proxy

import (
	"fmt"
	"os"
	"syscall"
)

// CheckPrivate refuses a folder that others can look into: a symbolic link, of
// another user, or of a mode other than 0700.
func CheckPrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("the folder %s belongs to another user", dir)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("others can look into the folder %s (mode %04o): run chmod 700 %s, or choose another", dir, mode, dir)
	}
	return nil
}
