package authring

import "github.com/authring/authring/internal/bootclock"

// WithBootClock replaces the clock by which tokens are judged.
func WithBootClock(clock bootclock.Clock) Option {
	return func(c *config) error { c.clock = clock; return nil }
}

// Narrowed counts the narrower scopes whose tokens are remembered.
func (s *Session) Narrowed() int {
	s.watching.Lock()
	defer s.watching.Unlock()
	return len(s.narrowed)
}
