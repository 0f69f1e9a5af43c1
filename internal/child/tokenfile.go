package child

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/secret"
)

// TokenFile is a file that holds an access token and nothing else, and always
// one that is good for a while.
type TokenFile struct {
	Path string

	// Token returns a token that is valid for at least the time given (zero:
	// the usual), made after the call if fresh is set, and when it ends (zero:
	// never).
	Token func(ctx context.Context, minValid time.Duration, fresh bool) (secret.Secret, time.Time, error)

	// Changed reports whether the link has changed since it was asked before:
	// what the file holds may be of no use any more. Nil: nobody knows.
	Changed func() bool

	// Ended reports whether an error of Token means that the link has none. The
	// file is then removed, until that changes: what it holds is not to be used.
	Ended func(error) bool
}

// The clock is looked at this often, since a timer does not run while the
// machine is asleep; and so often is tried what failed.
const lookPause = 15 * time.Second

// Write replaces the file by one with a token, and returns when that ends (zero:
// never).
func (f *TokenFile) Write(ctx context.Context) (ends time.Time, err error) {
	return f.write(ctx, 0, false)
}

func (f *TokenFile) write(ctx context.Context, need time.Duration, fresh bool) (ends time.Time, err error) {
	token, ends, err := f.Token(ctx, need, fresh)
	if err != nil {
		return time.Time{}, err
	}
	if err := atomicfile.Write(f.Path, []byte(token.Reveal()), 0o600); err != nil {
		return time.Time{}, fmt.Errorf("could not write the token: %w", err)
	}
	return ends.Round(0), nil // by the wall clock, which runs on in sleep
}

// Keep replaces a token that ends at a time when a quarter of its life is left, or
// when the link has changed, and those that follow it, until ctx ends.
func (f *TokenFile) Keep(ctx context.Context, ends time.Time) {
	due := dueOf(ends)
	for fresh := false; ; {
		for !fresh && (due.IsZero() || time.Until(due) > 0) {
			pause := lookPause
			if !due.IsZero() {
				pause = min(time.Until(due), lookPause)
			}
			if !wait(ctx, pause) {
				return
			}
			fresh = f.changed()
		}
		// One that lives longer than the present one.
		next, err := f.write(ctx, max(time.Until(ends), 0)+time.Second, fresh)
		switch {
		case err == nil:
			ends, due, fresh = next, dueOf(next), false
		case ctx.Err() != nil:
			return
		case f.Ended(err):
			_ = os.Remove(f.Path)
			ends, due, fresh = time.Time{}, time.Time{}, false
			f.changed() // that this was found out may be noted in the record
		case !wait(ctx, lookPause):
			return
		}
	}
}

// dueOf is when a token that ends at a time is replaced; zero: never.
func dueOf(ends time.Time) time.Time {
	if ends.IsZero() {
		return ends
	}
	return ends.Add(-max(time.Until(ends), 0) / 4)
}

func (f *TokenFile) changed() bool { return f.Changed != nil && f.Changed() }

// wait reports whether the time has passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
