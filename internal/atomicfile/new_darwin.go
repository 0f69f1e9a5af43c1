package atomicfile

import (
	"errors"

	"golang.org/x/sys/unix"
)

// renameNew gives a file a name that nothing has. Sticks have file systems
// that know no second name for a file, and others cannot rename in this way.
func renameNew(from, to string) error {
	err := unix.RenamexNp(from, to, unix.RENAME_EXCL)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return linkNew(from, to)
	}
	return err
}
