// Package privatefile reads files that hold secrets, after it has made sure
// that nobody else can have written them, or can read them.
package privatefile

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// ErrTooLarge: the file is larger than what is read of it.
var ErrTooLarge = errors.New("the file is larger than it may be")

// Read returns what the file at path holds, at most limit bytes. It refuses
// what others may have read or written; a file that is not there is
// fs.ErrNotExist.
func Read(path string, limit int64) ([]byte, error) {
	if err := CheckFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%w (%d bytes)", ErrTooLarge, limit)
	}
	return data, nil
}
