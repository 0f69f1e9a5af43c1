package atomicfile

import "golang.org/x/sys/windows"

// replace gives a file a name that another may have.
func replace(from, to string) error {
	return move(from, to, windows.MOVEFILE_REPLACE_EXISTING)
}

// renameNew gives a file a name that nothing has: without
// MOVEFILE_REPLACE_EXISTING it fails where there is such a file.
func renameNew(from, to string) error { return move(from, to, 0) }

// move returns once the new name is on the disk, which takes the place of
// syncing the folder.
func move(from, to string, flags uint32) error {
	old, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(old, name, flags|windows.MOVEFILE_WRITE_THROUGH)
}
