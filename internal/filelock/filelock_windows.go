package filelock

import (
	"errors"
	"os"
	"syscall"
)

const openFlags = os.O_CREATE | os.O_RDWR

// ERROR_INVALID_FUNCTION and ERROR_NOT_SUPPORTED of the Windows system error
// codes.
func unsupported(err error) bool {
	return errors.Is(err, syscall.Errno(1)) || errors.Is(err, syscall.Errno(50))
}
