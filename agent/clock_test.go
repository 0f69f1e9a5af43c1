package agent_test

import (
	"sync"
	"time"
)

// handClock is a boot clock that a test moves on, as after a suspend.
type handClock struct {
	mu     sync.Mutex
	now    time.Duration
	timers map[*handTimer]bool
}

type handTimer struct {
	at time.Duration
	f  func()
}

func newHandClock() *handClock { return &handClock{timers: map[*handTimer]bool{}} }

func (c *handClock) Now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) AfterFunc(at time.Duration, f func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &handTimer{at, f}
	c.timers[t] = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.timers, t)
	}
}

// pass lets time pass, and what is due happen.
func (c *handClock) pass(d time.Duration) {
	c.mu.Lock()
	c.now += d
	var due []*handTimer
	for t := range c.timers {
		if t.at <= c.now {
			due = append(due, t)
			delete(c.timers, t)
		}
	}
	c.mu.Unlock()
	for _, t := range due {
		t.f()
	}
}

// waiting is how many timers are set.
func (c *handClock) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}
