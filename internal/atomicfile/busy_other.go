//go:build !windows

package atomicfile

// patiently does something to a file: nobody who has it open is in the way.
func patiently(do func() error) error { return do() }
