package agent

import (
	"os"
	"time"
)

// stamp tells two versions of a file apart. Records are written by replacing,
// so that each is a file of its own.
type stamp struct {
	exists   bool
	device   uint64
	inode    uint64
	size     int64
	modified time.Time
	changed  int64 // when the file got its name; nanoseconds
}

// look never waits for anything but the disk. A file that cannot be looked at
// is like one that is not there, and so is one without a name.
func look(path string) stamp {
	if path == "" {
		return stamp{}
	}
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	s := stamp{exists: true, size: info.Size(), modified: info.ModTime()}
	s.identify(info)
	return s
}
