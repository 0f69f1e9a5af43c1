//go:build unix

package sealed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/authring/authring/internal/cure"
)

// openKeyFile does not wait for the other end of a pipe.
func openKeyFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
}

// checkKeyFile refuses what others may have written, and a file of ours that
// others may read. A file of the superuser that others may read is one that
// the system provides, with rights that its mode does not show (systemd's
// credentials have an access list).
func checkKeyFile(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("its owner cannot be known")
	}
	mode := info.Mode().Perm()
	ours := int(stat.Uid) == os.Geteuid()
	switch {
	case !ours && stat.Uid != 0:
		return fmt.Errorf("it belongs to another user (%d)", stat.Uid)
	case info.Mode()&fs.ModeNamedPipe != 0:
		return nil
	case ours && mode&0o077 != 0:
		command := cure.Command("chmod", "600", path)
		return cure.With(fmt.Errorf("others may read or change it (mode %04o): if you trust what it holds, run: %s", mode, command), command)
	case mode&0o022 != 0:
		return fmt.Errorf("others may change it (mode %04o)", mode)
	}
	return nil
}

// awaitWriter waits until there is somebody at the other end of a named pipe, or
// was: before that, a read finds the end of the file.
func awaitWriter(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Read(func(fd uintptr) bool {
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		failed = err
		return ready > 0 || err != nil && !errors.Is(err, unix.EINTR)
	})
	if err == nil && !errors.Is(failed, unix.EINTR) {
		err = failed
	}
	return err
}
