package agent

import (
	"io/fs"
	"syscall"
)

// identify has the time at which the file was made: the number of a file is
// had by opening it only.
func (s *stamp) identify(info fs.FileInfo) {
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		s.changed = data.CreationTime.Nanoseconds()
	}
}
