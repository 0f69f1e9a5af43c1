package agent

import (
	"net"
	"time"

	"github.com/authring/authring/internal/bootclock"
	"github.com/authring/authring/internal/peer"
	"github.com/authring/authring/record"
)

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

// MakesRoom reports whether a connection that has been let in for long makes
// room for another one.
func MakesRoom(old, another net.Conn) bool {
	s := newConns(Config{Limits: Limits{Silent: 1}.withDefaults()})
	c, _ := s.admit(old, peer.Peer{})
	c.silent = c.silent.Add(-time.Minute)
	admitted, _ := s.admit(another, peer.Peer{})
	return admitted != nil
}

// SameInOneTick reports whether the record of a link is taken for the one that
// it was before a change, on a file system whose clock has not moved meanwhile.
func SameInOneTick(layout record.Layout, config string, change func()) bool {
	f := filesOf(layout, config, "")
	s := f.see(stamp{}, 0)
	change()
	s.stamps = stamps{look(f.record), stamp{}}
	return f.same(&s, time.Second)
}
