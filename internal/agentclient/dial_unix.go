//go:build unix

package agentclient

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// longestQueue is how many seconds an agent may let callers wait to be let in.
// A context that ends meanwhile is noticed afterwards.
const longestQueue = 2

// conn is a Unix socket whose calls block, with the system's own bounds on
// them. Go's poller, which package net needs and os too for its deadlines, costs
// a program that makes one request more than the request does: descriptors,
// timers, and a second thread that has to be woken for the answer.
type conn struct {
	fd    int
	until time.Time

	mu    sync.Mutex
	ended bool
}

func dial(path string) (*conn, error) {
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
	_, err = again(func() (int, error) { return 0, syscall.Connect(fd, &syscall.SockaddrUnix{Name: path}) })
	if err == nil {
		return &conn{fd: fd}, nil
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

// again makes a call that a signal has interrupted once more, as package os
// does: the runtime sends signals to itself.
func again(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}

// SetReadDeadline bounds each read that begins from now on.
func (c *conn) SetReadDeadline(until time.Time) error {
	c.until = until
	return nil
}

// Read reads what the agent has sent, at least a byte of it.
func (c *conn) Read(b []byte) (int, error) {
	n, err := again(func() (int, error) {
		left := time.Until(c.until)
		if left <= 0 {
			return 0, syscall.EAGAIN
		}
		// Zero would be for ever.
		bound := syscall.NsecToTimeval(max(left, time.Microsecond).Nanoseconds())
		if err := syscall.SetsockoptTimeval(c.fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &bound); err != nil {
			return 0, err
		}
		return syscall.Read(c.fd, b)
	})
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return 0, os.ErrDeadlineExceeded
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// Write writes all of b, which is far less than a socket holds back.
func (c *conn) Write(b []byte) (written int, err error) {
	for written < len(b) {
		n, err := again(func() (int, error) { return syscall.Write(c.fd, b[written:]) })
		if err != nil {
			return written, err
		}
		written += n
	}
	return written, nil
}

// interrupt has a read that waits, and all that follow, end at once. It may be
// called beside them, and after Close.
func (c *conn) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended { // else the number may be another file's
		_ = syscall.Shutdown(c.fd, syscall.SHUT_RDWR)
	}
}

// Close ends the connection. It must not be called beside a read.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	return syscall.Close(c.fd)
}
