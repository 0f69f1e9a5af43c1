// Package bounded waits for calls that cannot be interrupted (into a library of
// the operating system, say) no longer than a context lasts.
package bounded

import (
	"context"
	"errors"
	"fmt"
)

// ErrBusy: as many calls as there may be are under way, none of them came back
// while the context lasted, and this one was not begun.
var ErrBusy = errors.New("earlier calls have not come back")

// Calls limits how many calls may be under way, those that nobody waits for
// any longer included: a service that hangs costs a fixed number of
// goroutines, not one for each try.
type Calls struct{ slots chan struct{} }

// NewCalls lets at most this many calls be under way.
func NewCalls(most int) *Calls { return &Calls{make(chan struct{}, most)} }

// Do returns what f returned, or ctx's error once that has ended, if f was
// begun: it then goes on unseen, and its result is dropped. A call that finds
// no room for as long as ctx lasts is [ErrBusy].
func Do[T any](ctx context.Context, c *Calls, f func() (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return none, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		// The room is free before anybody hears of the result: whoever calls
		// next finds it.
		<-c.slots
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
