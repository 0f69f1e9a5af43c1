package child

import "golang.org/x/sys/unix"

// TokenFiles: this system has folders in memory, for a [TokenFile].
const TokenFiles = true

// isMemory reports whether a folder is on a file system that has no disk.
func isMemory(dir string) bool {
	var stat unix.Statfs_t
	if unix.Statfs(dir, &stat) != nil {
		return false
	}
	return int64(stat.Type) == unix.TMPFS_MAGIC || int64(stat.Type) == unix.RAMFS_MAGIC
}

// sharedMemory is the folder that every Linux has for that, in which each user
// can make folders of their own; empty if it is not what it should be.
func sharedMemory() string {
	const dir = "/dev/shm"
	if !isMemory(dir) || unix.Access(dir, unix.W_OK|unix.X_OK) != nil {
		return ""
	}
	return dir
}
