package child

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
)

// claim is a file in a folder that nobody else can open: who has it is alive,
// or sweeps. It is made and held in one step.
type claim struct{ file windows.Handle }

// claimFolder claims a folder that was made for this run.
func claimFolder(_ context.Context, dir string) (*claim, error) {
	return openAlone(dir, windows.CREATE_NEW)
}

// claimDead claims the folder of a run that is gone; nil if it is not.
func claimDead(dir string) *claim {
	c, err := openAlone(dir, windows.OPEN_ALWAYS)
	if err != nil {
		return nil
	}
	return c
}

func openAlone(dir string, how uint32) (*claim, error) {
	path := filepath.Join(dir, lockName)
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	// Without a share mode it "prevents subsequent open operations" (CreateFile).
	file, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, how, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &claim{file}, nil
}

const (
	// removeTries is how often a folder is tried to be removed, in which
	// another run that sweeps has opened a file, or a scanner of files has.
	removeTries = 20
	removePause = 5 * time.Millisecond
)

// remove gives the folder up, since no file can be removed that is open, and
// removes it.
func (c *claim) remove(dir string) (err error) {
	_ = windows.CloseHandle(c.file)
	for range removeTries {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(removePause)
	}
	return err
}
