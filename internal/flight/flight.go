// Package flight lets many callers share one run of a piece of work.
//
// Unlike the usual single-flight, no caller lends its context to the others:
// the work runs under a context of its own, each caller leaves when its own
// context ends, and the work is cancelled when the last caller has left.
package flight

import (
	"context"
	"sync"
)

// Flight shares one piece of work. The zero value is ready; it must not be
// copied after its first use.
type Flight struct {
	mu   sync.Mutex
	run  *run
	runs sync.WaitGroup
}

type run struct {
	done    chan struct{}
	cancel  context.CancelFunc
	callers int
	err     error
}

// Do starts work, or joins the run that is under way, and returns its error;
// when ctx ends first, Do returns the cause of that at once. The context that
// work gets carries no deadline and no values of any caller: work bounds
// itself.
func (f *Flight) Do(ctx context.Context, work func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	r := f.join(work)
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		f.leave(r)
		return context.Cause(ctx)
	}
}

// Wait returns once no run is under way, not even one that was cancelled.
func (f *Flight) Wait() { f.runs.Wait() }

func (f *Flight) join(work func(context.Context) error) *run {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.run != nil {
		f.run.callers++
		return f.run
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{done: make(chan struct{}), cancel: cancel, callers: 1}
	f.run = r
	f.runs.Go(func() {
		err := work(ctx)
		cancel()
		f.mu.Lock()
		r.err = err
		if f.run == r {
			f.run = nil
		}
		f.mu.Unlock()
		close(r.done)
	})
	return r
}

// leave cancels a run that nobody waits for any more. A caller that comes
// later starts a new one and never sees the cancelled one's error.
func (f *Flight) leave(r *run) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.callers--
	if r.callers == 0 {
		r.cancel()
		if f.run == r {
			f.run = nil
		}
	}
}
