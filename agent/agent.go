package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authring/authring/internal/bootclock"
)

// linkLife is how long links stay in memory where the agent does not end.
const linkLife = time.Hour

// Agent answers on sockets. It is safe for concurrent use.
type Agent struct {
	config  Config
	clock   bootclock.Clock
	started time.Duration
	life    context.Context // ends with Close
	end     context.CancelFunc

	requests atomic.Int64
	renewing sync.WaitGroup

	mu     sync.Mutex
	links  map[Link]*held
	closed bool
	busy   int           // requests that are being worked on
	last   time.Duration // when the last one ended, on clock
	ending chan struct{} // closed when it is time to end
	ended  bool
	stopIt func() // the timer of the idle end

	retried   map[revoker]time.Duration // when each looked for revocations
	stopRetry func()
	renewals  bootclock.Clock

	stopKeeping func() // the timer of keepAlive; nil: none
}

// New returns an agent that answers nowhere yet.
func New(config Config) (*Agent, error) {
	if config.Open == nil {
		return nil, errors.New("could not make an agent: Config.Open is not set")
	}
	config.Limits = config.Limits.withDefaults()
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.clock == nil {
		config.clock = bootclock.System()
	}
	a := &Agent{config: config, clock: config.clock, links: map[Link]*held{}, retried: map[revoker]time.Duration{}, ending: make(chan struct{})}
	a.renewals = bootclock.Share(a.clock)
	a.life, a.end = context.WithCancel(context.Background())
	a.started = a.clock.Now()
	a.last = a.started
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watchIdle()
	a.keepAliveAt(a.started + keepAliveFirst)
	return a, nil
}

// Close drops all links from memory. Serve is to be ended before.
func (a *Agent) Close() error {
	a.Stop()
	a.end()
	a.mu.Lock()
	a.closed = true
	if a.stopIt != nil {
		a.stopIt()
	}
	if a.stopRetry != nil {
		a.stopRetry()
	}
	if a.stopKeeping != nil {
		a.stopKeeping()
	}
	for _, h := range a.links {
		a.drop(h)
	}
	a.mu.Unlock()
	a.renewing.Wait()
	return nil
}

// Stop has Serve end once the requests that are under way are answered.
func (a *Agent) Stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stop()
}

func (a *Agent) stop() {
	if !a.ended {
		a.ended = true
		close(a.ending)
	}
}

// begin and done stand around the work on a request.
func (a *Agent) begin() {
	a.requests.Add(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.busy++
}

func (a *Agent) done() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.busy--
	a.last = a.clock.Now()
}

// patience is how long a link may be of no interest.
func (a *Agent) patience() time.Duration {
	if a.config.Idle > 0 {
		return a.config.Idle
	}
	return linkLife
}

// watchIdle looks again when the agent, or a link, may have been idle for long
// enough. The caller holds mu.
func (a *Agent) watchIdle() {
	if a.closed || a.ended {
		return
	}
	now := a.clock.Now()
	next := now + a.patience()
	if a.busy == 0 && a.last+a.patience() > now {
		next = a.last + a.patience()
	}
	for _, h := range a.links {
		if due := h.asked + a.patience(); due > now {
			next = min(next, due)
		}
	}
	a.stopIt = a.clock.AfterFunc(next, a.lookIdle)
}

func (a *Agent) lookIdle() {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.Now()
	for _, h := range a.links {
		if h.users == 0 && now-h.asked >= a.patience() {
			a.drop(h)
		}
	}
	if a.config.Idle > 0 && a.busy == 0 && now-a.last >= a.config.Idle {
		a.config.Logger.Debug("idle")
		a.stop()
		return
	}
	a.watchIdle()
}

// idleEnd is when the agent will end if nothing is asked; zero: it will not.
func (a *Agent) idleEnd() time.Time {
	if a.config.Idle <= 0 {
		return time.Time{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Now().Add(a.last + a.config.Idle - a.clock.Now())
}
