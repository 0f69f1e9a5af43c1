//go:build unix && !linux

package agent

import (
	"io/fs"
	"syscall"
)

func (s *stamp) identify(info fs.FileInfo) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		s.device, s.inode = uint64(stat.Dev), uint64(stat.Ino)
	}
}
