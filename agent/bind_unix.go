//go:build unix

package agent

import (
	"net"
	"os"
	"path/filepath"
)

// longestName is what every platform takes for the path of a socket.
const longestName = 103

// bind makes a socket at path that listens and is closed to others from the
// first moment on that it can be found: whoever looks for it would else see one
// with the mode that bind(2) gave it, or that refuses, and do without. The
// caller holds the lock of path.
func bind(path string) (*net.UnixListener, error) {
	aside := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	if len(aside) > longestName {
		return bindClosed(path)
	}
	socket, err := bindClosed(aside)
	if err != nil {
		return nil, err
	}
	if err := os.Rename(aside, path); err != nil {
		_ = socket.Close()
		_ = os.Remove(aside)
		return nil, err
	}
	return socket, nil
}
