//go:build unix

package cli

import (
	"errors"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// firstPassed is SD_LISTEN_FDS_START of sd_listen_fds(3).
const firstPassed = 3

// passedSocket returns the listening socket that was passed to this process, by
// systemd's protocol or on standard input; nil if none was.
//
//	"LISTEN_PID: must match the process ID of the receiving process" and
//	"LISTEN_FDS: the number of file descriptors passed" (sd_listen_fds(3))
func passedSocket(inetd bool, getenv func(string) string) (net.Listener, error) {
	fd := 0
	if !inetd {
		if getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) || getenv("LISTEN_FDS") == "" {
			return nil, nil
		}
		if getenv("LISTEN_FDS") != "1" {
			return nil, errors.New("systemd passed " + getenv("LISTEN_FDS") + " sockets, and the agent takes one")
		}
		fd = firstPassed
		for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
			_ = os.Unsetenv(name) // not for programs that are started from here
		}
	}
	if listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || listening == 0 {
		return nil, errors.New("it is no socket that listens")
	}
	unix.CloseOnExec(fd)
	file := os.NewFile(uintptr(fd), "socket")
	defer func() { _ = file.Close() }()
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	if _, ok := listener.(*net.UnixListener); !ok {
		_ = listener.Close()
		return nil, errors.New("it is no Unix socket")
	}
	return listener, nil
}
