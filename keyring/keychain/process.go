package keychain

import (
	"context"
	"sync"

	"github.com/authring/authring/internal/bounded"
)

// process is one process before the keychains of macOS. Whether these may ask
// their user is a switch of the process, so that it has calls of two kinds:
// silent ones, any number at a time, while the switch is off; and one that
// may ask, alone.
//
// Every call is silent at first. Only what then says that it has to ask comes
// a second time, to do so: a switch that stays off for some milliseconds is
// all that the rest of a program sees of us.
type process struct {
	framework
	// questions has room for one: macOS' dialogs come one at a time.
	questions *bounded.Calls

	mu     sync.Mutex
	silent int
	asking bool
	was    bool          // how the switch stood before the silent calls
	idle   chan struct{} // closed when the last silent call has ended
}

func newProcess(f framework) *process {
	idle := make(chan struct{})
	close(idle)
	return &process{framework: f, questions: bounded.NewCalls(1), idle: idle}
}

// beSilent keeps keychains from asking until the function that it returns was
// called. While a question is open it is [errAsking].
func (p *process) beSilent() (end func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asking {
		return nil, errAsking
	}
	if p.silent == 0 {
		was, code := p.Interaction()
		if code == 0 {
			code = p.SetInteraction(false)
		}
		if code != 0 {
			return nil, p.status(code)
		}
		p.was, p.idle = was, make(chan struct{})
	}
	p.silent++
	return p.endSilence, nil
}

func (p *process) endSilence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent--; p.silent > 0 {
		return
	}
	// In vain, later calls would find it switched off, and say so.
	_ = p.SetInteraction(p.was)
	close(p.idle)
}

// ask lets keychains ask, as far as the program itself does, until the function
// that it returns was called. It waits for the silent calls to end; new ones
// are turned away.
func (p *process) ask(ctx context.Context) (end func(), err error) {
	p.mu.Lock()
	p.asking = true
	idle := p.idle
	p.mu.Unlock()
	end = func() {
		p.mu.Lock()
		p.asking = false
		p.mu.Unlock()
	}
	select {
	case <-idle:
		return end, nil
	case <-ctx.Done():
		end()
		return nil, ctx.Err()
	}
}

// status is an error for a status that is not success.
func (p *process) status(code int32) error {
	if code == 0 {
		return nil
	}
	return &status{code, p.Message(code)}
}
