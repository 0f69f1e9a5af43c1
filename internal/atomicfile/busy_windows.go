package atomicfile

import (
	"errors"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/windows"
)

// patience is how long a file may be in use. Readers take milliseconds, and so
// do scanners of new files.
const patience = 5 * time.Second

// patiently does something to a file again while others have it open: Windows
// lets nobody replace or remove it then, nor open it while it is replaced.
func patiently(do func() error) error {
	pause, end := time.Millisecond, time.Now().Add(patience)
	for {
		err := do()
		busy := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION) ||
			errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_USER_MAPPED_FILE)
		if !busy || time.Now().After(end) {
			return err
		}
		time.Sleep(pause/2 + rand.N(pause/2))
		pause = min(2*pause, 10*time.Millisecond)
	}
}
