package agent

import "github.com/authring/authring/internal/bootclock"

// SetClock replaces the clock of the agent's own times.
func (c *Config) SetClock(clock bootclock.Clock) { c.clock = clock }

// The bounds of requests that are not answered from memory.
const (
	Burst = burst
	Pause = pause
)
