//go:build unix

package agentclient

import (
	"errors"
	"os"
	"syscall"
)

// longestQueue is how many seconds an agent may let callers wait to be let in.
// A context that ends meanwhile is noticed afterwards.
const longestQueue = 2

// dial connects to a Unix socket. Package net would do, but for what it costs
// a program to start with it.
func dial(path string) (*os.File, error) {
	// Nothing may be started between the two calls with the descriptor open.
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, errors.Join(ErrFailed, err)
	}
	_ = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &syscall.Timeval{Sec: longestQueue})
	err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: path})
	for errors.Is(err, syscall.EINTR) {
		err = syscall.Connect(fd, &syscall.SockaddrUnix{Name: path})
	}
	if err == nil {
		// Package os has deadlines only for what does not block.
		if err = syscall.SetNonblock(fd, true); err == nil {
			return os.NewFile(uintptr(fd), path), nil
		}
	}
	switch {
	case errors.Is(err, syscall.EAGAIN):
		err = errors.Join(ErrFailed, errors.New("it has no room"))
	default:
		err = errors.Join(ErrNoAgent, err)
	}
	_ = syscall.Close(fd)
	return nil, err
}
