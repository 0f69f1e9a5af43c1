//go:build !linux

package bootclock

import (
	"sync"
	"time"
)

// step is how late a call may come after a suspend on platforms whose timers
// stand still in it.
const step = 15 * time.Second

// poll looks at the clock again and again, since the timers of package time
// may stand still in suspend.
func poll(c Clock, at time.Duration, f func()) (stop func()) {
	done := make(chan struct{})
	go func() {
		for {
			left := at - c.Now()
			if left <= 0 {
				select {
				case <-done:
				default:
					f()
				}
				return
			}
			timer := time.NewTimer(min(left, step))
			select {
			case <-done:
				timer.Stop()
				return
			case <-timer.C:
			}
		}
	}()
	return sync.OnceFunc(func() { close(done) })
}
