package proxy

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/authring/authring/internal/atomicfile"
)

// ErrAddress: a proxy cannot listen there, or must not.
var ErrAddress = errors.New("the address cannot be used")

// ListenLoopback listens at HOST:PORT, on this machine only.
func ListenLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: it is not HOST:PORT, such as 127.0.0.1:0", ErrAddress)
	}
	if addr, err := netip.ParseAddr(host); !strings.EqualFold(host, "localhost") && (err != nil || !addr.IsLoopback()) {
		return nil, fmt.Errorf("%w: it is not on this machine alone; use 127.0.0.1:PORT", ErrAddress)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // which alone does not name the address again
		}
		return nil, fmt.Errorf("could not listen at %s: %w", address, err)
	}
	if bound, ok := listener.Addr().(*net.TCPAddr); !ok || !bound.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("%w: it leads to other machines", ErrAddress), listener.Close())
	}
	return listener, nil
}

// longestSocket is how long the path of a Unix socket can be everywhere:
// sun_path has 104 bytes on macOS, 108 on Linux, with a zero at the end.
const longestSocket = 103

// ListenUnix listens on a socket at path that only this user can reach: mode
// 0600, in a folder that is the user's and of mode 0700, which is made where it
// is missing. What a proxy that died has left there is removed; a socket that
// somebody listens on, and anything else, is not.
func ListenUnix(path string) (net.Listener, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	if len(path) > longestSocket {
		return nil, fmt.Errorf("%w: the path of a socket can have at most %d bytes, and %s has %d", ErrAddress, longestSocket, path, len(path))
	}
	dir := filepath.Dir(path)
	if err := atomicfile.MakeFolder(dir); err != nil {
		return nil, fmt.Errorf("could not make the folder of the socket: %w", err)
	}
	if err := CheckPrivate(dir); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	if err := removeDead(path); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("could not listen on %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("could not listen on %s: %w", path, err), listener.Close())
	}
	return listener, nil
}

// removeDead removes a socket that nobody listens on.
func removeDead(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", ErrAddress, err)
	case info.Mode()&fs.ModeSocket == 0:
		return fmt.Errorf("%w: %s is there and is no socket", ErrAddress, path)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("%w: somebody listens on %s already", ErrAddress, path)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("could not remove what was left at %s: %w", path, err)
	}
	return nil
}
