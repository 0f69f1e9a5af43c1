package bootclock_test

import (
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authring/authring/internal/bootclock"
)

// bound is how long anything here may take on a machine that is busy.
const bound = time.Minute

func wait(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(bound):
		t.Fatalf("%s: it did not happen", what)
	}
}

func TestNowGrows(t *testing.T) {
	clock := bootclock.System()
	first := clock.Now()
	if first < 0 {
		t.Errorf("Now() = %v", first)
	}
	last := first
	for last == first {
		now := clock.Now()
		if now < last {
			t.Fatalf("it went from %v back to %v", last, now)
		}
		last = now
	}
	if other := bootclock.System().Now(); runtime.GOOS == "linux" && other < last {
		t.Errorf("another clock of the machine shows %v, and this one %v", other, last)
	}
}

// As much time goes by on it as on the monotonic clock, while nothing sleeps.
func TestNowKeepsTime(t *testing.T) {
	clock := bootclock.System()
	outer := time.Now()
	before := clock.Now()
	inner := time.Now()
	done := make(chan struct{})
	clock.AfterFunc(before+50*time.Millisecond, func() { close(done) })
	wait(t, done, "a call after 50 ms")
	least := time.Since(inner)
	passed := clock.Now() - before
	most := time.Since(outer)
	// The counters tick apart, by less than this.
	const grain = 20 * time.Millisecond
	if passed < least-grain || passed > most+grain {
		t.Errorf("%v went by, and on the monotonic clock %v to %v", passed, least, most)
	}
	if passed < 50*time.Millisecond {
		t.Errorf("the call came after %v", passed)
	}
}

func TestAMomentThatIsPastFiresAtOnce(t *testing.T) {
	clock := bootclock.System()
	now := clock.Now()
	for name, at := range map[string]time.Duration{
		"just now": now, "a second ago": now - time.Second, "zero": 0, "before the clock began": -time.Hour,
	} {
		done := make(chan struct{})
		stop := clock.AfterFunc(at, func() { close(done) })
		wait(t, done, name)
		stop()
		stop()
	}
}

func TestFiresOnce(t *testing.T) {
	clock := bootclock.System()
	var calls atomic.Int32
	done := make(chan struct{})
	stop := clock.AfterFunc(clock.Now()+time.Millisecond, func() {
		if calls.Add(1) == 1 {
			close(done)
		}
	})
	defer stop()
	wait(t, done, "a call")
	// One more that is due later.
	later := make(chan struct{})
	clock.AfterFunc(clock.Now()+20*time.Millisecond, func() { close(later) })
	wait(t, later, "a later call")
	if n := calls.Load(); n != 1 {
		t.Errorf("it was called %d times", n)
	}
}

func TestStoppedDoesNotFire(t *testing.T) {
	clock := bootclock.System()
	var wrong atomic.Int32
	stopped := 0
	for range 100 {
		at := clock.Now() + 20*time.Millisecond
		var fired atomic.Int32
		clock.AfterFunc(at, func() { fired.Add(1) })()
		// A machine that stood still meanwhile proves nothing.
		if clock.Now() < at {
			stopped++
			clock.AfterFunc(at+20*time.Millisecond, func() { wrong.Add(fired.Load()) })
		}
	}
	done := make(chan struct{})
	clock.AfterFunc(clock.Now()+60*time.Millisecond, func() { close(done) })
	wait(t, done, "a call that was not stopped")
	if n := wrong.Load(); n != 0 {
		t.Errorf("%d calls of %d came after they were stopped", n, stopped)
	}
}

// Whoever stops need not know who else does, nor whether it fires just then.
func TestStopByMany(t *testing.T) {
	clock := bootclock.System()
	for i := range 200 {
		var calls atomic.Int32
		stop := clock.AfterFunc(clock.Now()+time.Duration(i%5)*100*time.Microsecond, func() { calls.Add(1) })
		var group sync.WaitGroup
		for range 8 {
			group.Go(stop)
		}
		group.Wait()
		stop()
		if n := calls.Load(); n > 1 {
			t.Fatalf("it was called %d times", n)
		}
	}
}

func TestStopFromWithin(t *testing.T) {
	clock := bootclock.System()
	stops := make(chan func(), 1)
	done := make(chan struct{})
	stops <- clock.AfterFunc(clock.Now(), func() {
		(<-stops)()
		close(done)
	})
	wait(t, done, "a call that stops itself")
}

// descriptors counts the open files of this process that are timers.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, entry := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil && strings.Contains(target, "timerfd") {
			n++
		}
	}
	return n
}

// none waits until as many timers are open as before.
func none(t *testing.T, before int, what string) {
	t.Helper()
	for deadline := time.Now().Add(bound); descriptors(t) != before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d timers are open, %d were before", what, descriptors(t), before)
		}
	}
}

func TestTimersAreClosed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc/self/fd is Linux's")
	}
	clock := bootclock.System()
	before := descriptors(t)
	var stops []func()
	for range 50 {
		stops = append(stops, clock.AfterFunc(clock.Now()+time.Hour, func() {}))
	}
	if n := descriptors(t) - before; n != 1 {
		t.Errorf("50 timers have %d descriptors between them", n)
	}
	for _, stop := range stops {
		stop()
	}
	none(t, before, "stopped")

	var group sync.WaitGroup
	for range 50 {
		group.Add(1)
		clock.AfterFunc(clock.Now(), group.Done)
	}
	group.Wait()
	none(t, before, "fired, and never stopped")
}
