//go:build unix

package filelock

import (
	"errors"
	"os"
	"syscall"
)

// A link at the lock's place is refused: it could point at a file that is
// locked for another purpose. Writable, because NFS gives exclusive locks to
// such handles only.
const openFlags = os.O_CREATE | os.O_RDWR | syscall.O_NOFOLLOW

func unsupported(err error) bool {
	return errors.Is(err, syscall.ENOLCK) || errors.Is(err, syscall.ENOSYS) ||
		errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.EOPNOTSUPP)
}
