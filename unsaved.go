package authring

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/provider"
)

// unsavedMark is how other processes see that this one has a refresh token that
// the keyring did not take: a lock on a file by the name of the one that was used
// up, whose use by somebody else could end the grant. The system frees it
// when the process ends, and with it the token is gone.
type unsavedMark struct {
	path string
	lock *filelock.Lock
}

func (m *unsavedMark) end() {
	if m != nil {
		_ = m.lock.Release()
	}
}

// tellUnsaved makes the mark agree with what this session has in memory. The
// caller holds the link's lock.
func (s *Session) tellUnsaved(ctx context.Context) {
	if s.config.provider.Replay == provider.ReplayReusable {
		return
	}
	s.mu.Lock()
	known, mark := s.loaded, s.unsaved
	s.mu.Unlock()
	path := ""
	if known != nil && known.unsaved {
		path = s.unsavedPath(s.fingerprint(known.replaces))
	}
	if mark != nil && mark.path == path {
		return
	}
	if mark != nil {
		mark.end()
		_ = os.Remove(mark.path) // nobody looks at it without the link's lock
		mark = nil
	}
	if path != "" {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		lock, err := filelock.Acquire(ctx, path)
		if err != nil {
			s.config.logger.Debug("could not tell other processes of a token that is not saved", "config", s.name, "error", err)
		} else {
			mark = &unsavedMark{path: path, lock: lock}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaved = mark
}

// unsavedElsewhere reports whether a process that is alive keeps, unsaved, what
// replaced the refresh token of this fingerprint. The caller holds the link's
// lock.
func (s *Session) unsavedElsewhere(fingerprint string) bool {
	path := s.unsavedPath(fingerprint)
	if _, err := os.Lstat(path); err != nil {
		return false
	}
	// Whoever holds it holds it for long: one try is enough.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	lock, err := filelock.Acquire(ctx, path)
	if err != nil {
		return errors.Is(err, context.DeadlineExceeded)
	}
	_ = lock.Release()
	_ = os.Remove(path)
	return false
}

func (s *Session) unsavedPath(fingerprint string) string {
	return filepath.Join(s.layout.StateFolder(), "unsaved", fingerprint+".lock")
}
