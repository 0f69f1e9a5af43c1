// Package bootclock is a clock that nobody can set and that does not stand
// still while the machine sleeps: CLOCK_BOOTTIME on Linux, and what each other
// platform has for it.
//
// Package time's monotonic clock stops in suspend on Linux, so that a token
// that expired over night would look fresh; its wall clock jumps when it is
// set.
package bootclock

import (
	"sync"
	"time"
)

// Clock tells elapsed time and calls back after some of it. It is safe for
// concurrent use.
type Clock interface {
	// Now is the time since some moment before the clock was had, the same
	// for all calls. It only grows, and counts the time in suspend.
	Now() time.Duration
	// AfterFunc calls f, in a goroutine of its own, once the clock shows at
	// least at; at once after a suspend in which that moment passed. The
	// returned function gives that up, and what it holds of the system; it
	// may be called more than once, and after f.
	AfterFunc(at time.Duration, f func()) (stop func())
}

// System is the machine's own clock, with one timer for the process.
func System() Clock { return ofMachine() }

var ofMachine = sync.OnceValue(func() Clock { return Share(newSystem()) })
