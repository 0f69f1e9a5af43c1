//go:build !linux && !darwin && !windows

package bootclock

import "time"

var start = time.Now()

// Now implements [Clock]. On the BSDs the monotonic clock goes on in suspend.
func (system) Now() time.Duration { return time.Since(start) }

// AfterFunc implements [Clock].
func (c system) AfterFunc(at time.Duration, f func()) (stop func()) { return poll(c, at, f) }
