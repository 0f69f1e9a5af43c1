//go:build unix

package agent

import "syscall"

// descriptors is how many files this process may have open. Package os has
// raised that to what the system allows; 0 if it is not known, or unlimited.
func descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<24 {
		return 0
	}
	return int(limit.Cur)
}
