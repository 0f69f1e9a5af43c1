package plaintext

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/privatefile"
	"github.com/authring/authring/keyring/plaintext/internal/rawconfig"
)

const (
	// maxSize bounds the file, in bytes, when it is read and when written.
	maxSize = 1 << 20
	// lockWait bounds the wait for other processes that write, each of which
	// takes milliseconds.
	lockWait = 10 * time.Second
)

// load reads the file at path, or nothing where there is none. It refuses
// what others may have read or written.
func load(path string) (*contents, error) {
	data, err := privatefile.Read(path, maxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return &contents{}, nil
	}
	if err != nil {
		return nil, err
	}
	file, err := rawconfig.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("the file is damaged and left as it is: correct it, or move it away: %w", err)
	}
	return file, nil
}

// save replaces the file at path.
func save(path string, file *contents) error {
	data := file.Bytes()
	if len(data) > maxSize {
		return fmt.Errorf("the file would be larger than %d bytes", maxSize)
	}
	// The lock is ours: whoever has left a file of secrets here was killed.
	atomicfile.Sweep(path)
	return atomicfile.Write(path, data, 0o600)
}

// homeFolder returns the folder of a variable that must be absolute if it is
// set.
func homeFolder(variable string) (string, error) {
	dir := os.Getenv(variable)
	if dir != "" && !filepath.IsAbs(dir) {
		return "", fmt.Errorf("%s is not an absolute path", variable)
	}
	return dir, nil
}
