package atomicfile

import "golang.org/x/sys/windows"

// renameNew gives a file a name that nothing has.
func renameNew(from, to string) error {
	old, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	// Without MOVEFILE_REPLACE_EXISTING it fails where there is such a file.
	return windows.MoveFileEx(old, name, windows.MOVEFILE_WRITE_THROUGH)
}
