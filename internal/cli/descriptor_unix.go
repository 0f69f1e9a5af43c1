//go:build unix

package cli

import "os"

// canRead reports whether a descriptor can be one to read from: none that
// output goes to.
func canRead(fd int) bool { return fd >= 0 && fd != 1 && fd != 2 }

// canReadHelp says which that are.
const canReadHelp = "such as 3"

// descriptor is what was opened for this program under a number.
func descriptor(fd int) *os.File { return os.NewFile(uintptr(fd), "descriptor") }
