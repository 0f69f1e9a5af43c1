// Package atomicfile replaces files so that a reader, or the next start after
// a power cut, sees the old content or the new one and nothing between.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/authring/authring/internal/killpoint"
)

// Write replaces the file at path: the data goes to a new file beside it, is
// synced, takes the name, and the folder is synced. The folder is made, with
// mode 0700, where it is missing. A symbolic link at path is replaced, not
// followed. On an error the old file is as it was. What writers that were
// killed have left in the folder is removed.
func Write(path string, data []byte, mode fs.FileMode) error {
	return place(path, data, mode, replace)
}

// Create is [Write] where there is no file yet. What is there already, be it a
// symbolic link that leads nowhere, stays as it is, and the error is
// [fs.ErrExist]; of several processes that create the file one succeeds.
func Create(path string, data []byte, mode fs.FileMode) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("could not make %s: %w", path, fs.ErrExist)
	}
	return place(path, data, mode, renameNew)
}

// place writes a file aside and has it take its name.
func place(path string, data []byte, mode fs.FileMode, name func(from, to string) error) (err error) {
	dir := filepath.Dir(path)
	if err := MakeFolder(dir); err != nil {
		return err
	}
	// CreateTemp opens with O_EXCL and 0600: nobody else can have made it,
	// nor read it before its mode is set.
	sweep(dir, func(base string) bool { return filepath.Ext(base) == filepath.Ext(path) }, staleAfter)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("could not write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("could not write %s: %w", path, errors.Join(err, temp.Close()))
			_ = os.Remove(temp.Name())
		}
	}()
	if err := temp.Chmod(mode); err != nil {
		return err
	}
	if _, err := temp.Write(data); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	killpoint.Here("file: written aside")
	if err := patiently(func() error { return name(temp.Name(), path) }); err != nil {
		return err
	}
	killpoint.Here("file: replaced")
	return SyncFolder(dir)
}

// Remove deletes the file at path and syncs its folder. A file that is not
// there is no error.
func Remove(path string) error {
	if err := patiently(func() error { return os.Remove(path) }); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	killpoint.Here("file: removed")
	return SyncFolder(filepath.Dir(path))
}

// Open is [os.OpenFile] for a file that is there, and that others may replace
// at this moment.
func Open(path string, flags int) (f *os.File, err error) {
	err = patiently(func() error {
		f, err = os.OpenFile(path, flags, 0)
		return err
	})
	return f, err
}

// MakeFolder makes dir and its parents with mode 0700 and syncs what holds
// each new one.
func MakeFolder(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := MakeFolder(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return SyncFolder(parent)
}
