package privatefile

import (
	"errors"
	"os"

	"github.com/authring/authring/internal/atomicfile"
)

// Open opens a regular file. The rights of the user's folder protect it, and
// are not checked.
func Open(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New(path + " is not a regular file")
	}
	return atomicfile.Open(path, os.O_RDONLY)
}

// CheckFolder refuses nothing here.
func CheckFolder(string) error { return nil }

// Writable finds nothing wrong here: only a try would tell.
func Writable(string) error { return nil }
