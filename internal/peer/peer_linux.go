package peer

import (
	"errors"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// soPeerPIDFD gives a descriptor of the process that made the connection, not
// of a number (Linux 6.5).
const soPeerPIDFD = 77

// ask: "SO_PEERCRED: Return the credentials of the peer process connected to
// this socket. […] The returned credentials are those that were in effect at
// the time of the call to connect(2)" (unix(7))
func (p *Peer) ask() error {
	return p.withFD(func(fd uintptr) error {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil {
			return err
		}
		p.UID, p.PID = int(cred.Uid), int(cred.Pid)
		return nil
	})
}

func (p Peer) alive() error {
	if p.PID <= 0 {
		return ErrUnknown
	}
	handle := -1
	err := p.withFD(func(fd uintptr) (err error) {
		handle, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, soPeerPIDFD)
		return err
	})
	switch {
	case errors.Is(err, unix.ENOPROTOOPT):
		return exists(p.PID, p.UID)
	case errors.Is(err, unix.ESRCH), errors.Is(err, unix.EINVAL):
		return ErrGone // it was waited for already
	case err != nil:
		return err
	}
	defer func() { _ = unix.Close(handle) }()
	// A descriptor of a process can be read once the process has ended.
	poll := []unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(poll, 0)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n > 0:
			return ErrGone
		}
		return nil
	}
}

// exists is the best that there is without a descriptor.
func exists(pid, uid int) error {
	info, err := os.Stat("/proc/" + strconv.Itoa(pid))
	if errors.Is(err, os.ErrNotExist) {
		return ErrGone
	}
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != uid {
		return ErrGone
	}
	return nil
}

// executable: "Under Linux 2.2 and later, this file is a symbolic link
// containing the actual pathname of the executed command." (proc(5)) Where
// that was replaced since, as by an update, " (deleted)" stands at its end.
func executable(pid int) (string, error) {
	return os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
}
