package flight_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/internal/flight"
)

func TestCallersShareOneRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flight.Flight
		runs, want := 0, errors.New("the run's error")
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				err := f.Do(t.Context(), func(context.Context) error {
					runs++
					time.Sleep(time.Second)
					return want
				})
				if err != want {
					t.Errorf("Do = %v, want %v", err, want)
				}
			})
		}
		wg.Wait()
		if runs != 1 {
			t.Errorf("%d runs, want 1", runs)
		}
	})
}

func TestACallerLeavesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flight.Flight
		work := func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Minute):
				return nil
			}
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := f.Do(short, work); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the impatient caller got %v", err)
			}
		})
		wg.Go(func() {
			if err := f.Do(t.Context(), work); err != nil {
				t.Errorf("the patient caller got %v", err)
			}
		})
		wg.Wait()
	})
}

func TestTheLastCallerCancelsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flight.Flight
		ended := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = f.Do(ctx, func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Hour) // takes its time to end
			ended <- ctx.Err()
			return ctx.Err()
		})
		// The run is being cancelled: a new caller must not inherit it.
		if err := f.Do(t.Context(), func(context.Context) error { return nil }); err != nil {
			t.Errorf("the next caller got %v", err)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the run ended with %v", err)
		}
	})
}

func TestAnEndedContextStartsNothing(t *testing.T) {
	var f flight.Flight
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("interrupted")
	cancel(cause)
	if err := f.Do(ctx, func(context.Context) error { t.Error("ran"); return nil }); err != cause {
		t.Errorf("Do = %v, want the cause", err)
	}
}
