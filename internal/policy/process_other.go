//go:build !linux

package policy

import (
	"fmt"
	"os"
)

// Identify finds out what a process is: by the path of its executable, at which
// there may be another file by now. alive tells whether it is still there. It
// looks no further than that process.
func Identify(pid int, path string, alive func() error) (Process, error) {
	p := Process{PID: pid, Path: path}
	if path != "" {
		if file, err := os.Stat(path); err == nil {
			p.Exe = file
		}
	}
	if pid > 0 {
		if err := alive(); err != nil {
			return Process{}, fmt.Errorf("%w: %w", ErrUnidentified, err)
		}
	}
	return p, nil
}

func (p Process) executable() string { return p.Path }
