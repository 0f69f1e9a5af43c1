//go:build unix && !linux

package child

import "syscall"

// attributes are none here: the system has no way to tie a command's life to
// this process's.
func attributes() *syscall.SysProcAttr { return nil }
