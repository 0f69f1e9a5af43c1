package agent

import (
	"container/heap"
	"sync"
	"time"

	"github.com/authring/authring/internal/bootclock"
)

// alarms does at their times what is to be done for links. All of them have one
// timer of the boot clock, which is a descriptor and a goroutine each.
type alarms struct {
	clock bootclock.Clock

	mu     sync.Mutex
	queue  alarmQueue
	set    time.Duration // what the timer is set to
	stopIt func()        // the timer; nil: none
}

type alarm struct {
	at    time.Duration
	f     func()
	index int // in the queue; -1: it is not there any more
}

// after has f called in a goroutine of its own at that time, or at once if it
// has passed.
func (s *alarms) after(at time.Duration, f func()) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &alarm{at: at, f: f}
	heap.Push(&s.queue, a)
	s.arrange()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if a.index >= 0 {
			heap.Remove(&s.queue, a.index)
			s.arrange()
		}
	}
}

// arrange sets the timer to what comes first. The caller holds mu.
func (s *alarms) arrange() {
	if s.stopIt != nil && len(s.queue) > 0 && s.queue[0].at == s.set {
		return
	}
	if s.stopIt != nil {
		s.stopIt()
		s.stopIt = nil
	}
	if len(s.queue) > 0 {
		s.set = s.queue[0].at
		s.stopIt = s.clock.AfterFunc(s.set, s.ring)
	}
}

func (s *alarms) ring() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	for len(s.queue) > 0 && s.queue[0].at <= now {
		go heap.Pop(&s.queue).(*alarm).f()
	}
	if s.stopIt != nil {
		s.stopIt() // it rang, or another was set meanwhile
		s.stopIt = nil
	}
	s.arrange()
}

// alarmQueue is a heap: what comes first is first.
type alarmQueue []*alarm

func (q alarmQueue) Len() int           { return len(q) }
func (q alarmQueue) Less(i, j int) bool { return q[i].at < q[j].at }

func (q alarmQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push is for package heap.
func (q *alarmQueue) Push(x any) {
	a := x.(*alarm)
	a.index = len(*q)
	*q = append(*q, a)
}

// Pop is for package heap.
func (q *alarmQueue) Pop() any {
	last := len(*q) - 1
	a := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	a.index = -1
	return a
}
