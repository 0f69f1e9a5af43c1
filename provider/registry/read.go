package registry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// readFile reads a file that nobody else can have written. All is asked of the
// open file, so that nobody can put another in its place between question and
// use. A missing one is fs.ErrNotExist; one that cannot be used is a
// [*FileError].
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, unreadable(path, err)
	case !info.Mode().IsRegular():
		return nil, &FileError{Path: path, Reason: "not a regular file"}
	}
	if reason := untrusted(info); reason != "" {
		return nil, &FileError{Path: path, Reason: reason}
	}
	data, err := io.ReadAll(io.LimitReader(f, largest+1))
	switch {
	case err != nil:
		return nil, unreadable(path, err)
	case len(data) > largest:
		return nil, &FileError{Path: path, Reason: fmt.Sprintf("larger than %d bytes", largest)}
	}
	return data, nil
}

// unreadable tells an error of the system without the path that it names too.
func unreadable(path string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return &FileError{Path: path, Reason: err.Error()}
}
