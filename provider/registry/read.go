package registry

import (
	"fmt"
	"io"
	"os"
)

// readFile reads a file that nobody else can have written. All is asked of the
// open file, so that nobody can put another in its place between question and
// use. A missing one is fs.ErrNotExist.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &FileError{Path: path, Reason: "not a regular file"}
	}
	if reason := untrusted(info); reason != "" {
		return nil, &FileError{Path: path, Reason: reason}
	}
	data, err := io.ReadAll(io.LimitReader(f, largest+1))
	if err == nil && len(data) > largest {
		err = &FileError{Path: path, Reason: fmt.Sprintf("larger than %d bytes", largest)}
	}
	return data, err
}
