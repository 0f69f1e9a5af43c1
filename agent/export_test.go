package agent

import "github.com/authring/authring/internal/bootclock"

// SetClock replaces the clock of the agent's own times.
func (c *Config) SetClock(clock bootclock.Clock) { c.clock = clock }

// Retried is of how many apps and providers the agent remembers that it has
// looked for revocations.
func (a *Agent) Retried() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.retried)
}

// The bounds of requests that are not answered from memory.
const (
	Burst = burst
	Pause = pause
)
