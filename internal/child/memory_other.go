//go:build !linux

package child

// TokenFiles: this system has no folders in memory that are known here, and a
// token is not written to a disk.
const TokenFiles = false

// isMemory finds no folder in memory here.
func isMemory(string) bool { return false }

func sharedMemory() string { return "" }
