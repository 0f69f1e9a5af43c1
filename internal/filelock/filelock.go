// Package filelock excludes other processes, and other goroutines, from what a
// file stands for. The system frees a lock when its holder ends, however it
// ends; the file itself is never removed, since removing it would let two
// holders in. A lock orders no memory: variables that goroutines share need a
// mutex as well.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/authring/authring/internal/atomicfile"
)

// ErrUnsupported: the file system of the lock file has no locks (some network
// mounts). Waiting does not help; another folder does.
var ErrUnsupported = errors.New("the file system does not support locks; choose a folder on a local disk")

// A lock that is held is looked at again after a random part of a pause that
// grows, so that many waiters neither march in step nor keep the holder from
// its work. The longest pause bounds how long a freed lock stays unused.
const (
	firstPause   = time.Millisecond
	longestPause = 32 * time.Millisecond
)

// Lock is a lock that is held.
type Lock struct{ file *flock.Flock }

// Acquire waits for the exclusive lock of the file at path until ctx ends; it
// makes the file, with mode 0600, and its folder where they are missing. The
// error wraps that of ctx when another holder kept the lock, and is
// [ErrUnsupported] where there can be none. Nothing else bounds the wait.
func Acquire(ctx context.Context, path string) (*Lock, error) {
	if err := atomicfile.MakeFolder(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("could not lock %s: %w", path, err)
	}
	pause := firstPause
	for {
		// Before the try, not only while waiting: a caller that gave up must
		// not be handed a lock.
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("could not lock %s: %w", path, err)
		}
		lock, err := try(path)
		if err != nil {
			return nil, fmt.Errorf("could not lock %s: %w", path, err)
		}
		if lock != nil {
			return lock, nil
		}
		timer := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("could not lock %s: another process holds it: %w", path, ctx.Err())
		}
		pause = min(2*pause, longestPause)
	}
}

// Try is [Acquire] without a wait: there is no lock, and no error, while another
// holder has it.
func Try(path string) (*Lock, error) {
	if err := atomicfile.MakeFolder(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("could not lock %s: %w", path, err)
	}
	lock, err := try(path)
	if err != nil {
		return nil, fmt.Errorf("could not lock %s: %w", path, err)
	}
	return lock, nil
}

// try returns nil while the lock is held elsewhere.
func try(path string) (*Lock, error) {
	file := flock.New(path, flock.SetFlag(openFlags), flock.SetPermissions(0o600))
	locked, err := file.TryLock()
	if err != nil {
		if unsupported(err) {
			err = fmt.Errorf("%w: %w", ErrUnsupported, err)
		}
		return nil, errors.Join(err, file.Close())
	}
	if !locked {
		return nil, file.Close()
	}
	// Somebody may have removed the file, and made a new one, between our
	// opening it and our lock: then ours excludes nobody.
	held, err := file.Stat()
	if err == nil {
		var named os.FileInfo
		named, err = os.Lstat(path)
		switch {
		case err != nil:
		case os.SameFile(held, named):
			return &Lock{file}, nil
		case named.Mode()&os.ModeSymlink != 0:
			// Windows has followed it; waiting would not end.
			err = errors.New("it is a symbolic link, which could lead to a file that is locked for another purpose")
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return nil, errors.Join(err, file.Close())
}

// Release frees the lock. A second call does nothing.
func (l *Lock) Release() error { return l.file.Unlock() }
