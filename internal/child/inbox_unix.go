//go:build unix

package child

import (
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"
)

// inbox keeps the signals that have come until they are taken, each once, as the
// system does: none is lost to others that come often.
type inbox struct {
	signals chan os.Signal
	came    chan struct{} // there is something to take

	mu  sync.Mutex
	all []os.Signal
}

func newInbox(of []os.Signal) *inbox {
	b := &inbox{signals: make(chan os.Signal, 16), came: make(chan struct{}, 1)}
	signal.Notify(b.signals, of...)
	go b.collect()
	return b
}

func (b *inbox) collect() {
	for s := range b.signals {
		b.mu.Lock()
		if !slices.Contains(b.all, s) {
			b.all = append(b.all, s)
		}
		b.mu.Unlock()
		select {
		case b.came <- struct{}{}:
		default:
		}
	}
}

func (b *inbox) close() {
	signal.Stop(b.signals)
	close(b.signals)
}

// together is how far apart Go may tell of signals that came at once.
const together = time.Millisecond

// take returns what has come. To continue a process takes back what should stop
// it; but Go does not tell which of the two signals came first. So one that comes
// together with SIGCONT stops nothing.
func (b *inbox) take() []os.Signal {
	all := b.empty()
	if !slices.Contains(all, os.Signal(syscall.SIGCONT)) {
		return all
	}
	time.Sleep(together)
	for _, s := range b.empty() {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return slices.DeleteFunc(all, func(s os.Signal) bool { return s == syscall.SIGTSTP })
}

func (b *inbox) empty() []os.Signal {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.all
	b.all = nil
	return all
}
