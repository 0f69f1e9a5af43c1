package sessionbus

import (
	"os"

	"golang.org/x/sys/unix"
)

// watchFolder tells when something new is in a folder, or the folder itself
// goes; end gives back what that takes. The channel is nil where the folder
// cannot be watched.
func watchFolder(folder string) (made <-chan struct{}, end func()) {
	if folder == "" {
		return nil, func() {}
	}
	// Not blocking, so that closing the file ends the read.
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, func() {}
	}
	file := os.NewFile(uintptr(fd), "inotify")
	if _, err := unix.InotifyAddWatch(fd, folder, unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_MOVE_SELF|unix.IN_DELETE_SELF|unix.IN_ONLYDIR); err != nil {
		_ = file.Close()
		return nil, func() {}
	}
	seen := make(chan struct{})
	go func() {
		defer close(seen)
		_, _ = file.Read(make([]byte, unix.SizeofInotifyEvent+unix.NAME_MAX+1))
	}()
	return seen, func() {
		_ = file.Close()
		<-seen
	}
}
