package authring

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/authring/authring/keyring"
)

// ErrKeyringNotReady: the keyring was locked or not there for as long as
// [WithKeyringWait] says. It wraps the error of the last try. Nothing was
// changed; worth another try later.
var ErrKeyringNotReady = errors.New("the keyring was not ready in time")

// WithKeyringWait has calls that need the keyring wait for it, each for d at
// most: until it is there, for a program that starts before its user's
// session, and until it is unlocked. Nobody is asked meanwhile, so that it
// takes the place of [WithPrompt]. The wait goes on by the keyring's own
// signals (keyring.Watcher); a keyring that has none is not waited for. The
// error is [ErrKeyringNotReady] when the time is up.
//
// [Session.Status] and the methods that only look never wait.
func WithKeyringWait(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return errors.New("the time to wait for the keyring must be more than nothing")
		}
		c.keyringWait = d
		return nil
	}
}

// The pause after a try that failed. A keyring that tells of changes and then
// cannot be used must not keep anybody busy.
const (
	firstTryPause   = 20 * time.Millisecond
	longestTryPause = time.Second

	// lastTryBound is how long the last try may take.
	lastTryBound = time.Second
)

// AwaitKeyring returns once the keyring of the link can be used without a
// question, or, while nothing is linked, one that a new link would use and
// that is not plain text, unless [WithKeyring] names that. The other methods
// wait by themselves: this one is for doing so before a user is asked for
// something. Without [WithKeyringWait] it returns at once. The error is
// [ErrKeyringNotReady] or the context's.
func (s *Session) AwaitKeyring(ctx context.Context) error { return s.await(ctx, s.tryKeyring) }

func (s *Session) await(ctx context.Context, try func(context.Context) error) error {
	if s.config.keyringWait == 0 {
		return nil
	}
	err := s.patiently(ctx, try, try)
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrKeyringNotReady) {
		// Not what waiting mends: for those to tell who use the keyring.
		return nil
	}
	return err
}

// patiently runs what needs the keyring, and, when that failed for want of the
// keyring, again once try finds that the keyring can be used. What it runs must
// be good to be run again after such a failure.
func (s *Session) patiently(ctx context.Context, try, run func(context.Context) error) error {
	if s.config.keyringWait == 0 {
		return run(ctx)
	}
	// From the start: the first run may itself wait for a keyring that hangs.
	waiting, cancel := context.WithTimeout(ctx, s.config.keyringWait)
	defer cancel()
	err := run(ctx)
	awaited := s.awaited(err)
	if len(awaited) == 0 {
		return err
	}
	changed := make(chan struct{}, 1)
	var watching sync.WaitGroup
	for _, k := range awaited {
		watching.Go(func() {
			k.(keyring.Watcher).Watch(waiting, func() {
				select {
				case changed <- struct{}{}:
				default: // one try is enough for both
				}
			})
		})
	}
	defer watching.Wait()
	defer cancel()
	defer s.waitingForKeyring(awaited[0])()
	for pause := firstTryPause; ; pause = min(2*pause, longestTryPause) {
		select {
		case <-changed:
		case <-waiting.Done():
		}
		if ctx.Err() != nil {
			return ended(ctx, err)
		}
		// The last try is after the time is up: not everything tells that it
		// was unlocked.
		last := waiting.Err() != nil
		if found := s.tryWithin(ctx, waiting, try); len(s.awaited(found)) > 0 {
			err = found
		} else if err = run(ctx); len(s.awaited(err)) == 0 {
			return err
		}
		if last {
			return fmt.Errorf("%w (waited %v): %w", ErrKeyringNotReady, s.config.keyringWait, err)
		}
		select {
		case <-time.After(pause):
		case <-waiting.Done():
		}
	}
}

// tryWithin gives a try no more time than is left to wait, and the last one a
// moment.
func (s *Session) tryWithin(ctx, waiting context.Context, try func(context.Context) error) error {
	if waiting.Err() == nil {
		return try(waiting)
	}
	ctx, cancel := context.WithTimeout(ctx, lastTryBound)
	defer cancel()
	return try(ctx)
}

// awaited returns the keyrings to wait for after err; none if waiting would
// not help.
func (s *Session) awaited(err error) []keyring.Keyring {
	if s.config.keyringWait == 0 || !errors.Is(err, keyring.ErrLocked) && !errors.Is(err, keyring.ErrUnavailable) {
		return nil
	}
	var failed *keyring.Error
	named := errors.As(err, &failed) && failed.Keyring != ""
	var awaited []keyring.Keyring
	for _, k := range s.keyrings {
		if _, ok := k.(keyring.Watcher); ok && (!named || k.ID() == failed.Keyring) {
			awaited = append(awaited, k)
		}
	}
	return awaited
}

// tryOwn looks whether the keyring of the link can be used without a question,
// in a way that changes nothing. Without a link there is nothing to wait for.
func (s *Session) tryOwn(ctx context.Context) error {
	rec, err := s.reload()
	if err != nil || rec.Empty() {
		return err
	}
	k, err := s.keyringOf(ctx, rec, "load the token")
	if err == nil {
		_, err = s.get(ctx, k, rec, keyring.NoPrompt)
	}
	return err
}

// tryKeyring is tryOwn for a link that is to be made.
func (s *Session) tryKeyring(ctx context.Context) error {
	rec, err := s.reload()
	if err != nil {
		return err
	}
	if s.config.keyringID == "" && !rec.Empty() {
		return s.tryOwn(ctx)
	}
	choice, err := s.ChooseKeyring(ctx)
	if err != nil {
		return err
	}
	if choice.Keyring.ID() == keyring.Plaintext && s.config.keyringID == "" {
		return errNoKeyring(choice.Passed)
	}
	return s.tryOpen(ctx, choice)
}

// tryOther looks whether a secret can go to another keyring than the link's.
func (s *Session) tryOther(ctx context.Context, id keyring.ID) error {
	rec, err := s.reload()
	if err != nil || rec.Empty() || rec.Keyring == id {
		return err
	}
	choice, err := s.chooseNamed(ctx, id)
	if err != nil {
		return err
	}
	return s.tryOpen(ctx, choice)
}

func (s *Session) tryOpen(ctx context.Context, choice keyring.Choice) error {
	k := choice.Keyring
	if choice.Status.Availability == keyring.Locked {
		// Some are opened by their first use, and ask nobody about it.
		_, _ = s.getKey(ctx, k, s.key(""), keyring.NoPrompt)
		choice.Status = keyring.Probe(ctx, k)
	}
	if choice.Status.Availability == keyring.Locked {
		return &keyring.Error{Op: "use", Keyring: k.ID(), Name: choice.Status.Name, Kind: keyring.ErrLocked, Detail: choice.Status.Detail}
	}
	return nil
}
