package authring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

const (
	// refreshBound is how long one refresh may take, beside a prompt.
	refreshBound = 2 * time.Minute

	// saveWait is the first of the pauses, each twice as long as the one
	// before, after which a refresh token that was not saved is tried again.
	saveWait = 100 * time.Millisecond

	// lockBound is how long a process waits for another one's refresh.
	lockBound = 60 * time.Second
)

// refresh makes a new access token and publishes it. It runs once at a time
// (Session.refreshing), and not under any caller's context.
func (s *Session) refresh(ctx context.Context) error { return s.refreshTo(ctx, nil) }

// refreshTo is refresh for a narrower scope; nil for all that was granted. Two
// of them take turns, so that one prompt at a time asks the user.
func (s *Session) refreshTo(ctx context.Context, to *narrowed) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	refreshLocked := func(ctx context.Context) error { return s.refreshLocked(ctx, to) }
	ctx, cancel := context.WithTimeout(ctx, refreshBound+time.Duration(s.config.prompt)+s.config.keyringWait)
	defer cancel()
	err := s.patiently(ctx, s.tryOwn, refreshLocked)
	if errors.Is(err, keyring.ErrLocked) && s.config.prompt > keyring.NoPrompt {
		// Nobody is asked while other processes wait for the lock: the
		// keyring is unlocked first, and all of it begun again.
		if err := s.unlockKeyring(ctx); err != nil {
			return ended(ctx, err)
		}
		err = refreshLocked(ctx)
	}
	return ended(ctx, err)
}

// unlockKeyring reads the secret of the link, and that of the client, with a
// prompt.
func (s *Session) unlockKeyring(ctx context.Context) error {
	if err := s.unlockClientSecret(ctx); err != nil {
		return err
	}
	rec, err := s.reload()
	if err != nil {
		return err
	}
	if intent, ok, err := s.layout.LoadIntent(s.name); err == nil && ok {
		err := s.unlockFor(ctx, intent.Record)
		stays := intent.Unsettled(rec)
		if ctx.Err() != nil || !stays || err == nil && !intent.Used {
			return err
		}
	}
	return s.unlockFor(ctx, rec)
}

func (s *Session) unlockFor(ctx context.Context, rec record.Record) error {
	k, err := s.keyringOf(ctx, rec, "load the token")
	if err != nil {
		return err
	}
	_, err = s.get(ctx, k, rec, s.config.prompt)
	return err
}

func (s *Session) refreshLocked(ctx context.Context, to *narrowed) error {
	unlock, err := s.lockRefresh(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	defer s.tellUnsaved(ctx)
	if err := s.recoverToUse(ctx); err != nil {
		return err
	}
	rec, err := s.reload()
	if err != nil {
		return err
	}
	grant, k, err := s.grantNow(ctx, rec)
	if err != nil {
		return err
	}
	if err := to.check(grant); err != nil {
		return err
	}
	if grant.kind == Legacy {
		return s.publishLegacy(grant)
	}
	client, err := s.client(grant.appKey)
	if err != nil {
		return err
	}
	t := &transaction{s: s, rec: rec, client: client, keyring: k, grant: grant, to: to}
	return t.run(ctx)
}

// publishLegacy hands out what the keyring holds of a legacy grant.
func (s *Session) publishLegacy(grant *credentials) error {
	access, key, err := s.unbind(grant.access)
	if err != nil {
		return err
	}
	token := &provider.Token{AccessToken: access, TokenType: Bearer, Scope: grant.scope}
	if key != nil {
		token.TokenType = DPoP
	}
	s.publish(grant, token, s.clock.Now())
	return nil
}

// lockRefresh takes the link's lock. Where that is impossible, as on some
// network file systems and in folders that cannot be written, a provider whose
// refresh tokens are not used up lets processes refresh side by side; any
// other would take that for theft.
func (s *Session) lockRefresh(ctx context.Context) (unlock func(), err error) {
	unlock, err = s.lock(ctx)
	if err == nil || ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return unlock, err
	}
	if s.config.provider.Replay != provider.ReplayReusable {
		return nil, fmt.Errorf("refresh tokens of %s are for a single use, and no other process can be kept from using this one: %w", s.config.provider.Title, err)
	}
	s.config.logger.Debug("refreshing without a lock", "config", s.name, "error", err)
	return func() {}, nil
}

// grantNow returns the credentials to refresh with: what the keyring holds
// now, since another process may have refreshed or relinked, or, while the
// keyring cannot be read, what this session read before. That may have been
// used up since, and so is for refresh tokens that can be used again.
func (s *Session) grantNow(ctx context.Context, rec record.Record) (*credentials, keyring.Keyring, error) {
	s.mu.Lock()
	known := s.loaded
	if rec.Empty() {
		s.forget()
	}
	s.mu.Unlock()
	if rec.Empty() {
		return nil, nil, ErrNotLinked
	}
	if known == nil {
		return s.load(ctx, rec, keyring.NoPrompt)
	}
	if known.unsaved {
		return s.settleUnsaved(ctx, rec, known)
	}
	fresh, k, err := s.load(ctx, rec, keyring.NoPrompt)
	if err == nil {
		if !fresh.secret().Equal(known.secret()) {
			s.remember(record.Event{What: record.EventAdopted, Keyring: k.ID()}, fresh)
		}
		return fresh, k, nil
	}
	if errors.Is(err, ErrSecretMissing) || k == nil || s.config.provider.Replay != provider.ReplayReusable {
		return nil, nil, err
	}
	return known, k, nil
}

// settleUnsaved deals with a new refresh token that the keyring did not take
// before: it is saved now, unless another process has replaced what it
// replaces. Without a look at what is there nothing is written: the write that
// failed may have been done, and another process may be further by now.
func (s *Session) settleUnsaved(ctx context.Context, rec record.Record, known *credentials) (*credentials, keyring.Keyring, error) {
	k, err := s.keyringOf(ctx, rec, "save the new refresh token")
	if err != nil {
		return nil, nil, err
	}
	held, err := s.get(ctx, k, rec, keyring.NoPrompt)
	switch {
	case err != nil && !errors.Is(err, ErrSecretMissing):
		return nil, nil, err
	case err == nil && !held.Equal(known.replaces) && !held.Equal(known.refresh):
		return s.load(ctx, rec, keyring.NoPrompt)
	}
	saved, err := s.saveRotated(ctx, k, rec, known)
	return saved, k, err
}

// saveRotated makes a new refresh token durable. Until it is, it is kept in
// memory, no access token that came with it is handed out, and each later
// call tries again.
func (s *Session) saveRotated(ctx context.Context, k keyring.Keyring, rec record.Record, grant *credentials) (*credentials, error) {
	err := s.put(ctx, k, s.key(rec.AccountID), grant.refresh, s.config.prompt)
	// It is in no other place, and a process that runs one command has no
	// later call: a keyring that is being restarted is given a moment.
	for wait := saveWait; err != nil && wait < saveWait*32 && !errors.Is(err, keyring.ErrLocked); wait *= 2 {
		select {
		case <-ctx.Done():
			wait = saveWait * 32
		case <-time.After(wait):
			err = s.put(ctx, k, s.key(rec.AccountID), grant.refresh, s.config.prompt)
		}
	}
	if err != nil {
		return nil, s.accessError("save the new refresh token, which this process keeps in memory and will try to save again, ", err)
	}
	saved := *grant
	saved.unsaved = false
	s.keep(&saved)
	s.emit(Event{Kind: EventRotated, Keyring: k.ID(), Text: "a new refresh token was saved"})
	return &saved, nil
}

func (s *Session) keep(grant *credentials) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded = grant
}

// lock keeps other processes, and other sessions of this one, from changing
// the link. It waits for a bounded time.
func (s *Session) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockBound)
	defer cancel()
	held, err := filelock.Acquire(ctx, s.layout.LockPath(s.name))
	if err != nil {
		return nil, fmt.Errorf("could not lock the link %q: %w", s.name, err)
	}
	return func() { _ = held.Release() }, nil
}
