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
	// the usual), and when it ends (zero: never).
	Token func(ctx context.Context, minValid time.Duration) (secret.Secret, time.Time, error)

	// Ended reports whether an error of Token means that there will be none
	// any more. The file is then removed: what it holds is not to be used.
	Ended func(error) bool
}

// The clock is looked at this often, since a timer does not run while the
// machine is asleep; and so often is tried what failed.
const lookPause = 15 * time.Second

// Write replaces the file by one with a token that is valid for at least need
// (zero: the usual), and returns when that ends (zero: never).
func (f *TokenFile) Write(ctx context.Context, need time.Duration) (ends time.Time, err error) {
	token, ends, err := f.Token(ctx, need)
	if err != nil {
		return time.Time{}, err
	}
	if err := atomicfile.Write(f.Path, []byte(token.Reveal()), 0o600); err != nil {
		return time.Time{}, fmt.Errorf("could not write the token: %w", err)
	}
	return ends.Round(0), nil // by the wall clock, which runs on in sleep
}

// Keep replaces a token that ends at a time when a quarter of its life is left,
// and those that follow it, until ctx ends.
func (f *TokenFile) Keep(ctx context.Context, ends time.Time) {
	for !ends.IsZero() {
		due := ends.Add(-max(time.Until(ends), 0) / 4)
		for left := time.Until(due); left > 0; left = time.Until(due) {
			if !wait(ctx, min(left, lookPause)) {
				return
			}
		}
		// One that lives longer than the present one.
		next, err := f.Write(ctx, max(time.Until(ends), 0)+time.Second)
		switch {
		case err == nil:
			ends = next
		case ctx.Err() != nil:
			return
		case f.Ended(err):
			_ = os.Remove(f.Path)
			return
		case !wait(ctx, lookPause):
			return
		}
	}
}

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
