package bootclock

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now implements [Clock]. On macOS CLOCK_MONOTONIC counts the time asleep;
// CLOCK_UPTIME_RAW, which package time uses, does not.
func (system) Now() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic("bootclock: " + err.Error())
	}
	return time.Duration(now.Nano())
}

// AfterFunc implements [Clock].
func (c system) AfterFunc(at time.Duration, f func()) (stop func()) { return poll(c, at, f) }
