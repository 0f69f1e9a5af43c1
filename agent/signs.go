package agent

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// sign is how often an agent that works on a request says so, so that the client
// can tell work from a process that hangs.
const sign = 2 * time.Second

// signs tell a client that waits that its request is being worked on, and end
// what takes too long. A connection has one, with one timer: its requests come
// one after the other, and most of them are answered before it rings.
type signs struct {
	cancel context.CancelCauseFunc // ends what is being done for the connection

	mu      sync.Mutex
	w       http.ResponseWriter // nil: nothing is being worked on
	left    time.Duration       // that the work may still take when the timer rings
	overdue bool
	timer   *time.Timer
}

// begin gives the first sign when the work has taken long. Until the end nobody
// else may write.
func (s *signs) begin(w http.ResponseWriter, bound time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w, s.left = w, bound
	if s.timer == nil {
		s.timer = time.AfterFunc(s.next(), s.ring)
		return
	}
	s.timer.Reset(s.next())
}

// next is when the timer is to ring. The caller holds mu.
func (s *signs) next() time.Duration {
	pause := min(sign, s.left)
	s.left -= pause
	return pause
}

func (s *signs) ring() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.w == nil:
	case s.left <= 0:
		s.overdue = true
		s.cancel(context.DeadlineExceeded)
	default:
		s.w.WriteHeader(http.StatusProcessing)
		s.timer.Reset(s.next())
	}
}

// end reports whether the work was ended: then the connection is of no use any
// more.
func (s *signs) end() (overdue bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w = nil
	s.timer.Stop()
	return s.overdue
}
