//go:build !linux && !darwin && !windows

package bootclock

import "time"

type system struct{ start time.Time }

func newSystem() system { return system{time.Now()} }

// Now implements [Clock]. On the BSDs the monotonic clock goes on in suspend.
func (c system) Now() time.Duration { return time.Since(c.start) }

// AfterFunc implements [Clock].
func (c system) AfterFunc(at time.Duration, f func()) (stop func()) { return poll(c, at, f) }
