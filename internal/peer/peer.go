// Package peer tells which process is at the other end of a Unix connection.
// It imports next to nothing, as a program that only asks the agent uses it.
package peer

import (
	"errors"
	"syscall"
)

// Peer is the process that made a connection, as it was at that moment. A
// connection that was handed on to another process is still of the first one.
type Peer struct {
	// UID is the effective user of the process; -1 on Windows, where users
	// have no number, and the socket's folder alone keeps others out.
	UID int
	// PID is the process, as this process sees it; 0 if it does not, as when
	// that is in a container of its own.
	PID int

	conn syscall.Conn
}

// ErrGone: the process that made the connection has ended, or that cannot be
// ruled out. Its number may be another one's by now.
var ErrGone = errors.New("the process at the other end has ended")

// ErrUnknown: this platform, or this kernel, does not tell.
var ErrUnknown = errors.New("it is not known who is at the other end")

// Of asks the system who made the connection.
func Of(conn syscall.Conn) (Peer, error) {
	p := Peer{UID: -1, conn: conn}
	err := p.ask()
	return p, err
}

// Alive returns nil while PID is the number of the process that made the
// connection, as long as the connection is open; [ErrGone] afterwards. Where the kernel
// has no handle for that (Linux before 6.5, and other systems) it says whether
// there is a process of that number and user.
func (p Peer) Alive() error { return p.alive() }

// Executable is the path of the program that the process runs. It is of that
// process and no later one of its number, by the same means as [Peer.Alive].
func (p Peer) Executable() (string, error) {
	if p.PID <= 0 {
		return "", ErrUnknown
	}
	path, err := executable(p.PID)
	if err != nil {
		return "", err
	}
	// Looked at afterwards: had it ended before, it would still be gone.
	if err := p.alive(); err != nil {
		return "", err
	}
	return path, nil
}

// withFD runs f with the descriptor of the connection.
func (p Peer) withFD(f func(fd uintptr) error) error {
	if p.conn == nil {
		return ErrUnknown
	}
	raw, err := p.conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(fd) }); err != nil {
		return err
	}
	return failed
}
