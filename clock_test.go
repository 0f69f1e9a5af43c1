package authring_test

import (
	"sync"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/bootclock"
)

// testClock is a boot clock on the time of a synctest bubble, and a machine
// that can be suspended: time goes on, package time's clock does not see it.
type testClock struct {
	start time.Time

	mu     sync.Mutex
	asleep time.Duration
	timers map[*testTimer]bool
}

type testTimer struct {
	at   time.Duration
	f    func()
	wake *time.Timer
}

var _ bootclock.Clock = (*testClock)(nil)

func newTestClock() *testClock {
	return &testClock{start: time.Now(), timers: map[*testTimer]bool{}}
}

func withClock(c *testClock) authring.Option { return authring.WithBootClock(c) }

func (c *testClock) Now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *testClock) now() time.Duration { return time.Since(c.start) + c.asleep }

func (c *testClock) AfterFunc(at time.Duration, f func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &testTimer{at: at, f: f}
	c.timers[t] = true
	t.wake = time.AfterFunc(at-c.now(), func() { c.fire(t) })
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.timers, t)
		t.wake.Stop()
	}
}

func (c *testClock) fire(t *testTimer) {
	c.mu.Lock()
	due := c.timers[t]
	delete(c.timers, t)
	c.mu.Unlock()
	if due {
		t.f()
	}
}

// suspend puts the machine to sleep for d. Timers whose time has come fire at
// the resume.
func (c *testClock) suspend(d time.Duration) {
	c.mu.Lock()
	c.asleep += d
	var due []*testTimer
	for t := range c.timers {
		if t.at <= c.now() {
			due = append(due, t)
		} else {
			t.wake.Reset(t.at - c.now())
		}
	}
	c.mu.Unlock()
	for _, t := range due {
		c.fire(t)
	}
}

// running counts the timers that were started and neither fired nor stopped.
func (c *testClock) running() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}
