package bounded_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/internal/bounded"
)

func TestDo(t *testing.T) {
	calls := bounded.NewCalls(1)
	refused := errors.New("refused")
	for range 3 {
		got, err := bounded.Do(t.Context(), calls, func() (int, error) { return 7, refused })
		if got != 7 || !errors.Is(err, refused) {
			t.Errorf("Do = %d, %v", got, err)
		}
	}
}

func TestNothingIsBegunForAnEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := bounded.Do(ctx, bounded.NewCalls(1), func() (int, error) {
		t.Error("the call was made")
		return 0, nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Do = %v, want context.Canceled", err)
	}
}

// TestACallThatHangs is given up, keeps its room, and gives it back when it
// returns after all.
func TestACallThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := bounded.NewCalls(2)
		release := make(chan struct{})
		hang := func() (int, error) { <-release; return 1, nil }
		quick := func() (int, error) { return 2, nil }
		within := func(bound time.Duration, f func() (int, error)) (int, error) {
			ctx, cancel := context.WithTimeout(t.Context(), bound)
			defer cancel()
			return bounded.Do(ctx, calls, f)
		}
		for range 2 {
			if got, err := within(time.Second, quick); got != 2 || err != nil {
				t.Errorf("a quick call = %d, %v", got, err)
			}
			if _, err := within(time.Second, hang); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, bounded.ErrBusy) {
				t.Errorf("a call that hangs = %v", err)
			}
		}
		began := time.Now()
		if _, err := within(time.Minute, quick); !errors.Is(err, bounded.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call without room = %v, want ErrBusy", err)
		}
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("waited %v, want a minute", waited)
		}
		close(release)
		synctest.Wait()
		if got, err := within(time.Second, quick); got != 2 || err != nil {
			t.Errorf("after the release = %d, %v", got, err)
		}
	})
}
