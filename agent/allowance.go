package agent

import (
	"fmt"
	"time"
)

// Each link may be asked burst times in a row for what is not in memory, and
// from then on once in pause: not for want of our own time, but the provider's.
const (
	burst = 30
	pause = 2 * time.Second
)

var errTooOften = fmt.Errorf("the agent was asked too often for tokens that are not in memory; it asks the provider at most %d times in a row, and then once in %v", burst, pause)

// enter counts a request that memory may not answer. Those that share a refresh
// count as one.
func (a *Agent) enter(h *held, ask Ask, key string) (leave func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.Now()
	if h.inMemory(ask, key, now) {
		return func() {}, nil
	}
	h.allowance = min(burst, h.allowance+float64(now-h.refilled)/float64(pause))
	h.refilled = now
	if h.slow == 0 {
		if h.allowance < 1 {
			return nil, errTooOften
		}
		h.allowance--
	}
	h.slow++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		h.slow--
	}, nil
}
