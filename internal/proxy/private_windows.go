package proxy

import (
	"fmt"
	"os"
)

// CheckPrivate refuses what is no folder. The rights of the user's own folders
// keep others out here, and are not checked.
func CheckPrivate(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	return nil
}
