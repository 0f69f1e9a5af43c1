//go:build unix

package child

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/authring/authring/internal/filelock"
)

// claim is a lock in a folder: who has it is alive, or sweeps.
type claim struct{ lock *filelock.Lock }

// claimFolder claims a folder that was made for this run.
func claimFolder(ctx context.Context, dir string) (*claim, error) {
	// The lock takes its name once it is held: whoever sweeps sees none that
	// is not.
	making := filepath.Join(dir, lockName+".new")
	lock, err := filelock.Acquire(ctx, making)
	if err != nil {
		return nil, err
	}
	if err := os.Rename(making, filepath.Join(dir, lockName)); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return &claim{lock}, nil
}

// sweepTry is how long a lock is tried that a living run holds.
const sweepTry = time.Millisecond

// claimDead claims the folder of a run that is gone; nil if it is not.
func claimDead(dir string) *claim {
	ctx, cancel := context.WithTimeout(context.Background(), sweepTry)
	defer cancel()
	lock, err := filelock.Acquire(ctx, filepath.Join(dir, lockName))
	if err != nil {
		return nil
	}
	return &claim{lock}
}

// remove removes the folder, and then gives it up.
func (c *claim) remove(dir string) error {
	return errors.Join(os.RemoveAll(dir), c.lock.Release())
}
