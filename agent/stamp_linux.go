package agent

import (
	"io/fs"
	"syscall"
)

func (s *stamp) identify(info fs.FileInfo) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		s.device, s.inode, s.changed = uint64(stat.Dev), stat.Ino, stat.Ctim.Nano()
	}
}
