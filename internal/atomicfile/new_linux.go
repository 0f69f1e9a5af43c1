package atomicfile

import (
	"errors"

	"golang.org/x/sys/unix"
)

// renameNew gives a file a name that nothing has. Sticks have file systems
// that know no second name for a file, and others cannot rename in this way.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return linkNew(from, to)
	}
	return err
}
