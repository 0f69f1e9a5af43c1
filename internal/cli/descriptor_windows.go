package cli

import "os"

// canRead reports whether a descriptor can be one to read from. Windows hands
// handles on to a program, and numbers those of the standard streams only.
func canRead(fd int) bool { return fd == 0 }

// canReadHelp says which that are.
const canReadHelp = "which on Windows is 0 only, standard input"

// descriptor is what was opened for this program under a number.
func descriptor(int) *os.File { return os.Stdin }
