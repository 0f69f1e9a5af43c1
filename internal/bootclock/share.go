package bootclock

import (
	"container/heap"
	"sync"
	"time"
)

// Share makes a clock whose calls have one timer of c between them: that of a
// machine's clock is a descriptor and a goroutine, and a program may have a
// thousand links that each wait for something.
func Share(c Clock) Clock { return &shared{Clock: c} }

type shared struct {
	Clock

	mu     sync.Mutex
	queue  alarmQueue
	set    time.Duration // what the timer is set to
	stopIt func()        // the timer; nil: none
}

type alarm struct {
	at    time.Duration
	index int // in the queue; -1: it is not there any more

	mu sync.Mutex
	f  func() // nil: stopped
}

// AfterFunc implements [Clock].
func (s *shared) AfterFunc(at time.Duration, f func()) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &alarm{at: at, f: f}
	heap.Push(&s.queue, a)
	s.arrange()
	return func() {
		a.take()
		s.mu.Lock()
		defer s.mu.Unlock()
		if a.index >= 0 {
			heap.Remove(&s.queue, a.index)
			s.arrange()
		}
	}
}

// take returns what is to be called, once.
func (a *alarm) take() (f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, a.f = a.f, nil
	return f
}

func (a *alarm) ring() {
	if f := a.take(); f != nil {
		f()
	}
}

// arrange sets the timer to what comes first. The caller holds mu.
func (s *shared) arrange() {
	if s.stopIt != nil && len(s.queue) > 0 && s.queue[0].at == s.set {
		return
	}
	if s.stopIt != nil {
		s.stopIt()
		s.stopIt = nil
	}
	if len(s.queue) > 0 {
		s.set = s.queue[0].at
		s.stopIt = s.Clock.AfterFunc(s.set, s.ring)
	}
}

func (s *shared) ring() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	for len(s.queue) > 0 && s.queue[0].at <= now {
		go heap.Pop(&s.queue).(*alarm).ring()
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
