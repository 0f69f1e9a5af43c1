package authring

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/record"
)

var (
	// ErrLinkUnderWay: another process is making this link. Wait for it, or
	// try again later.
	ErrLinkUnderWay = errors.New("another process is making this link")

	// ErrLinkFailedLately: nobody approved access when this link was last
	// tried without a person there. A person can make it at any time.
	ErrLinkFailedLately = errors.New("this link was tried in vain a moment ago")
)

const (
	// turnPause is how long a process that waits for its turn does between
	// two looks: people wait here, not machines.
	turnPause = 200 * time.Millisecond

	// browserPause is how long no second window of a browser is opened for
	// the same link: a program that is started again and again must not fill
	// the screen with them.
	browserPause = 30 * time.Second

	// After a try without a person that failed there is a pause before the
	// next, doubled each time.
	firstBackoff   = 30 * time.Second
	longestBackoff = time.Hour
)

// LinkTurn is the right to lead a person through a link, which one process has
// at a time for each config name, over all processes of the user. Nothing else
// needs it: what a link saves is guarded by itself. The system takes the turn
// from a process that ends, however it ends.
type LinkTurn struct {
	s          *Session
	unattended bool

	mu   sync.Mutex
	lock *filelock.Lock
	note record.LinkTry
}

// TurnRequest says how a turn is asked for.
type TurnRequest struct {
	// Unattended: nobody is there who began this. It then neither waits
	// ([ErrLinkUnderWay]) nor tries again at once what failed
	// ([ErrLinkFailedLately]).
	Unattended bool

	// Waiting is told once, if another process has the turn, which it is and
	// since when. It may be nil.
	Waiting func(process string, since time.Time)
}

// TakeLinkTurn waits for the turn until ctx ends. Whoever had to wait looks at
// the link again: it may have been made meanwhile. If its maker died or gave
// up, [Session.BeginLink] and [Session.BeginRedirect] take its page up.
func (s *Session) TakeLinkTurn(ctx context.Context, request TurnRequest) (*LinkTurn, error) {
	for told := false; ; told = true {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		lock, err := filelock.Try(s.layout.LinkTurnPath(s.name))
		if err != nil {
			return nil, err
		}
		note := s.linkTry()
		if lock != nil {
			return s.beginTurn(lock, note, request.Unattended)
		}
		if request.Unattended {
			return nil, fmt.Errorf("%w: %s, since %s", ErrLinkUnderWay, note.Process, note.Since.Local().Format("15:04:05"))
		}
		if !told && request.Waiting != nil {
			request.Waiting(note.Process, note.Since)
		}
		timer := time.NewTimer(turnPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// linkTry is what other processes noted. What cannot be read, nobody noted.
func (s *Session) linkTry() record.LinkTry {
	note, err := s.layout.LoadLinkTry(s.name)
	if err != nil {
		s.config.logger.Debug("could not read who is linking", "config", s.name, "error", err)
	}
	return note
}

func (s *Session) beginTurn(lock *filelock.Lock, note record.LinkTry, unattended bool) (*LinkTurn, error) {
	now := time.Now()
	if until := retryAt(note); unattended && now.Before(until) && !note.Failed.After(now) {
		_ = lock.Release() // nothing was done under it
		return nil, fmt.Errorf("%w, %s; the next try is at %s", ErrLinkFailedLately, times(note.Failures), until.Local().Format("15:04:05"))
	}
	t := &LinkTurn{s: s, unattended: unattended, lock: lock, note: note}
	t.note.Process, t.note.Since = process(), now
	t.save()
	return t, nil
}

// retryAt is when what failed may be tried again without a person.
func retryAt(note record.LinkTry) time.Time {
	if note.Failures == 0 {
		return time.Time{}
	}
	return note.Failed.Add(min(firstBackoff<<min(note.Failures-1, 16), longestBackoff))
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times in a row", n)
}

// MayOpenBrowser reports whether a browser may be opened for this link, and
// notes that it is. It is not if any process did so in the last half minute:
// that window is still good.
func (t *LinkTurn) MayOpenBrowser() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if since := now.Sub(t.note.Opened); since >= 0 && since < browserPause {
		return false
	}
	t.note.Opened = now
	t.save()
	return true
}

// TurnEnd is how a turn ended.
type TurnEnd int

const (
	// TurnGivenUp: somebody ended it, which says nothing of a next try.
	TurnGivenUp TurnEnd = iota
	// TurnLinked: the link was made.
	TurnLinked
	// TurnFailed: nobody approved access, or the link could not be made.
	TurnFailed
)

// End gives the turn back. A second call does nothing.
func (t *LinkTurn) End(how TurnEnd) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lock == nil {
		return
	}
	switch {
	case how == TurnLinked:
		if err := t.s.layout.DropLinkTry(t.s.name); err != nil {
			t.s.config.logger.Debug("could not forget the tries to link", "config", t.s.name, "error", err)
		}
	case how == TurnFailed && t.unattended:
		t.note.Failures++
		t.note.Failed = time.Now()
		t.save()
	}
	if err := t.lock.Release(); err != nil {
		t.s.config.logger.Debug("could not give the turn back", "config", t.s.name, "error", err)
	}
	t.lock = nil
}

// save writes the note. Without it other processes know less, and nothing
// breaks.
func (t *LinkTurn) save() {
	if err := t.s.layout.SaveLinkTry(t.s.name, t.note); err != nil {
		t.s.config.logger.Debug("could not note who is linking", "config", t.s.name, "error", err)
	}
}
