package peer

import (
	"errors"

	"golang.org/x/sys/unix"
)

func (p *Peer) ask() error {
	return p.withFD(func(fd uintptr) error {
		cred, err := unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
		if err != nil {
			return err
		}
		p.UID = int(cred.Uid)
		if pid, err := unix.GetsockoptInt(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERPID); err == nil {
			p.PID = pid
		}
		return nil
	})
}

func (p Peer) alive() error {
	if p.PID <= 0 {
		return ErrUnknown
	}
	if err := unix.Kill(p.PID, 0); errors.Is(err, unix.ESRCH) {
		return ErrGone
	}
	return nil
}

// executable reads what the kernel keeps of the start of a process: the number
// of its arguments, then the path of its program (sysctl(3), KERN_PROCARGS2).
func executable(pid int) (string, error) {
	data, err := unix.SysctlRaw("kern.procargs2", pid)
	if err != nil {
		return "", err
	}
	if len(data) < 4 {
		return "", ErrUnknown
	}
	path := unix.ByteSliceToString(data[4:])
	if path == "" {
		return "", ErrUnknown
	}
	return path, nil
}
