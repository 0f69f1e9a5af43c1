package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/record"
)

// providerLockBound is how long another process is waited for that changes the
// same provider; it may be asking its user.
const providerLockBound = time.Minute

// see remembers the file of the provider as it is now, before it is read.
func (r *providerRun) see() { r.seen, _ = os.Stat(r.folder.Path(r.name)) }

// lock keeps other processes from changing the provider. It fails if one has
// since the file was seen: a client id would get the secret of another one. On
// a file system without locks that is all that can be done.
func (r *providerRun) lock(ctx context.Context) (unlock func(), err error) {
	layout, err := record.NewLayout(r.app)
	if err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, providerLockBound)
	defer cancel()
	unlock = func() {}
	held, err := filelock.Acquire(bounded, layout.ProviderLockPath(r.name))
	switch {
	case err == nil:
		unlock = func() { _ = held.Release() }
	case ctx.Err() != nil:
		return nil, errInterrupted
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &failure{
			err:  usage("provider", "another process is changing the provider %q; nothing was changed", r.name),
			hint: "Try again later.",
		}
	}
	now, err := os.Stat(r.folder.Path(r.name))
	if !sameVersion(r.seen, now) && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		unlock()
		return nil, &failure{
			err:  usage("provider", "another process has changed the provider %q meanwhile; nothing was changed", r.name),
			hint: "See what there is now: " + r.providerVerb("list"),
		}
	}
	return unlock, nil
}

// sameVersion compares two looks at a file that is replaced as a whole; nil is
// for none.
func sameVersion(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
