package authring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/internal/killpoint"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

const (
	// refreshBound is how long one refresh may take, beside a prompt.
	refreshBound = 2 * time.Minute

	// lockBound is how long a process waits for another one's refresh.
	lockBound = 60 * time.Second
)

// transaction is one refresh: under the link's lock, read again, redeem once,
// save durably, publish.
type transaction struct {
	s       *Session
	rec     record.Record
	client  *provider.Client
	keyring keyring.Keyring
	grant   *credentials

	// attempt is the note that is on disk while the request is out.
	attempt record.Attempt
	// doubt is set when an earlier presentation of the same refresh token
	// has an outcome that nobody knows.
	doubt bool
	noted bool
}

// refresh makes a new access token and publishes it. It runs once at a time
// (Session.refreshing), and not under any caller's context.
func (s *Session) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, refreshBound+time.Duration(s.config.prompt))
	defer cancel()
	err := s.refreshLocked(ctx)
	if errors.Is(err, keyring.ErrLocked) && s.config.prompt > keyring.NoPrompt {
		// Nobody is asked while other processes wait for the lock: the
		// keyring is unlocked first, and all of it begun again.
		if err := s.unlockKeyring(ctx); err != nil {
			return ended(ctx, err)
		}
		err = s.refreshLocked(ctx)
	}
	return ended(ctx, err)
}

// unlockKeyring reads the secret of the link with a prompt.
func (s *Session) unlockKeyring(ctx context.Context) error {
	rec, err := s.reload()
	if err != nil {
		return err
	}
	if intent, ok, err := s.layout.LoadIntent(s.name); err == nil && ok {
		rec = intent.Record
	}
	k, err := s.keyringOf(ctx, rec, "load the token")
	if err != nil {
		return err
	}
	_, err = s.get(ctx, k, rec, s.config.prompt)
	return err
}

func (s *Session) refreshLocked(ctx context.Context) error {
	unlock, err := s.lockRefresh(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	defer s.tellUnsaved(ctx)
	if err := s.recover(ctx, keyring.NoPrompt); err != nil {
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
	if grant.kind == Legacy {
		s.publish(grant, &provider.Token{AccessToken: grant.access, Scope: grant.scope}, s.clock.Now())
		return nil
	}
	client, err := s.client(grant.appKey)
	if err != nil {
		return err
	}
	t := &transaction{s: s, rec: rec, client: client, keyring: k, grant: grant}
	return t.run(ctx)
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

func (t *transaction) run(ctx context.Context) error {
	if err := t.begin(); err != nil {
		return err
	}
	killpoint.Here("refresh: noted")
	defer t.s.waitingForProvider()()
	sent := t.s.clock.Now()
	token, err := t.client.Refresh(ctx, t.grant.refresh, nil)
	killpoint.Here("refresh: answered")
	if errors.Is(err, provider.ErrRevoked) {
		token, sent, err = t.refused(ctx, err)
	}
	if err != nil {
		t.fail(err)
		return fmt.Errorf("could not get an access token for %q: %w", t.s.name, err)
	}
	rotated := !token.RefreshToken.IsZero() && !token.RefreshToken.Equal(t.grant.refresh)
	if rotated {
		// RFC 6749 section 6: "The authorization server MAY issue a new
		// refresh token, in which case the client MUST discard the old
		// refresh token and replace it with the new refresh token."
		renewed := *t.grant
		renewed.replaces, renewed.refresh, renewed.unsaved = t.grant.refresh, token.RefreshToken, true
		t.s.keep(&renewed)
		saved, err := t.s.saveRotated(ctx, t.keyring, t.rec, &renewed)
		if err != nil {
			t.s.remember(record.Event{What: record.EventFailed, Keyring: t.keyring.ID(), Detail: "the new refresh token could not be saved: " + err.Error()}, t.grant)
			return err
		}
		t.grant = saved
	}
	killpoint.Here("refresh: saved")
	t.end()
	killpoint.Here("refresh: ended")
	if t.rec.Revoked != nil {
		t.rec.Revoked = nil
		t.s.saveMark(t.rec)
	}
	event := record.Event{What: record.EventRefreshed, Keyring: t.keyring.ID()}
	if rotated {
		event.What = record.EventRotated
	}
	t.s.remember(event, t.grant)
	t.s.publish(t.grant, token, sent)
	return nil
}

// begin notes on disk, before the request leaves, that the refresh token is
// being presented; and looks whether an earlier presentation is in doubt.
func (t *transaction) begin() error {
	s := t.s
	presented := s.fingerprint(t.grant.refresh)
	found, ok, err := s.layout.LoadAttempt(s.name)
	if err != nil {
		s.config.logger.Debug("the note of an earlier refresh cannot be read", "config", s.name, "error", err)
	}
	t.attempt = record.Attempt{Fingerprint: presented, Started: time.Now(), Process: process()}
	if ok && found.Fingerprint == presented && presented != "" {
		t.doubt = true
		t.attempt.Started, t.attempt.Tries = found.Started, found.Tries
		if err := t.weigh(found); err != nil {
			return err
		}
	}
	t.attempt.Tries++
	if err := s.layout.SaveAttempt(s.name, t.attempt); err != nil {
		if s.config.provider.Replay != provider.ReplayReusable {
			return err
		}
		s.config.logger.Debug("refreshing without a note", "config", s.name, "error", err)
		return nil
	}
	t.noted = true
	return nil
}

// weigh decides, by the provider's rule, whether a refresh token may be
// presented again after its answer was lost.
func (t *transaction) weigh(found record.Attempt) error {
	s := t.s
	if s.config.provider.Replay == provider.ReplayReusable {
		return nil
	}
	if s.unsavedElsewhere(found.Fingerprint) {
		// Its use now would end the grant that the other one still has.
		return s.accessError("use the refresh token", fmt.Errorf("another process (the last was %s) has the one that replaces it, could not save it, and tries again with its next refresh", found.Process))
	}
	lost := fmt.Sprintf("the answer to the refresh of %s, by %s, never came", found.Started.UTC().Format(time.RFC3339), found.Process)
	since := time.Since(found.Started)
	if s.config.provider.Replay == provider.ReplayGrace && since >= 0 && since < s.config.provider.Window() {
		s.remember(record.Event{What: record.EventInDoubt, Detail: lost + "; the provider lets it be repeated"}, t.grant)
		return nil
	}
	if found.Tries > 1 {
		// One more presentation is all that the provider may be asked.
		return fmt.Errorf("%w: %s, nor did that of a second try", ErrInDoubt, lost)
	}
	s.remember(record.Event{What: record.EventInDoubt, Detail: lost + "; the refresh token is tried once more"}, t.grant)
	s.emit(Event{Kind: EventInDoubt, Text: lost + "; the refresh token is tried once more, and the link may have to be made anew"})
	return nil
}

// end removes the note: what came of the request is known, and safe.
func (t *transaction) end() {
	if !t.noted {
		return
	}
	if err := t.s.layout.DropAttempt(t.s.name); err != nil {
		// The next process sees a note of a token that is not in use any
		// more, or of one that may be presented, and goes on.
		t.s.config.logger.Debug("could not remove the note of a refresh", "config", t.s.name, "error", err)
	}
}

// fail puts the note right after an error: an outcome that is known leaves
// none, and a request that never left does not count.
func (t *transaction) fail(err error) {
	s := t.s
	var answer *provider.Error
	sent := errors.As(err, &answer) && answer.Sent
	// Such an answer says that the server did nothing; of what became of an
	// earlier request only a refusal of the token itself tells.
	untouched := !sent || errors.Is(err, ErrInvalidToken) || errors.Is(err, provider.ErrRateLimited)
	switch {
	case errors.Is(err, ErrRevoked), untouched && !t.doubt:
		t.end()
	case untouched && t.noted:
		t.attempt.Tries--
		if err := s.layout.SaveAttempt(s.name, t.attempt); err != nil {
			s.config.logger.Debug("could not correct the note of a refresh", "config", s.name, "error", err)
		}
	}
	if errors.Is(err, ErrRevoked) || errors.Is(err, context.Canceled) {
		return
	}
	s.remember(record.Event{What: record.EventFailed, Detail: err.Error()}, t.grant)
}

// refused decides what an invalid_grant means. If the keyring by now holds
// another refresh token, that one is used; otherwise the provider is asked once
// more, and only a second refusal counts. A token that was in doubt was asked
// for once more already. Nothing is deleted.
func (t *transaction) refused(ctx context.Context, refusal error) (*provider.Token, time.Duration, error) {
	s := t.s
	adopted := false
	if held, err := s.get(ctx, t.keyring, t.rec, keyring.NoPrompt); err == nil && !held.Equal(t.grant.refresh) {
		newer := *t.grant
		newer.refresh = held
		t.grant, adopted = &newer, true
		s.keep(t.grant)
		s.remember(record.Event{What: record.EventAdopted, Keyring: t.keyring.ID(), Detail: "the provider refused the one before"}, t.grant)
	}
	sent := s.clock.Now()
	err := refusal
	if adopted || !t.doubt || s.config.provider.Replay == provider.ReplayReusable {
		var token *provider.Token
		if token, err = t.client.Refresh(ctx, t.grant.refresh, nil); err == nil || !errors.Is(err, provider.ErrRevoked) {
			return token, sent, err
		}
	}
	reason := "invalid_grant"
	var answer *provider.Error
	if errors.As(err, &answer) && answer.Description != "" {
		reason = answer.Description
	}
	if t.doubt && s.config.provider.Replay != provider.ReplayReusable {
		reason += "; the answer to an earlier refresh was lost, and the new refresh token with it"
	}
	t.revoked(reason, err)
	return nil, sent, fmt.Errorf("%w: %w", ErrRevoked, err)
}

// revoked marks the link, tells of it, and deletes nothing.
func (t *transaction) revoked(reason string, err error) {
	s := t.s
	fingerprint := s.fingerprint(t.grant.refresh)
	if t.rec.Revoked == nil || t.rec.Revoked.Fingerprint != fingerprint {
		t.rec.Revoked = &record.Revocation{At: time.Now().UTC().Truncate(time.Second), Reason: reason, Fingerprint: fingerprint}
		s.saveMark(t.rec)
		s.remember(record.Event{What: record.EventRevoked, Keyring: t.keyring.ID(), Detail: reason}, t.grant)
	}
	s.replace(nil)
	s.emit(Event{Kind: EventRevoked, Text: s.config.provider.Title + " ended the link: " + reason, Err: err})
}

// saveMark writes that a grant is revoked, or no longer so. The mark is for
// people to see: a folder that cannot be written takes nothing away.
func (s *Session) saveMark(rec record.Record) {
	if err := s.layout.Save(s.name, rec); err != nil {
		s.config.logger.Debug("could not mark the record", "config", s.name, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record = rec
}

// saveRotated makes a new refresh token durable. Until it is, it is kept in
// memory, no access token that came with it is handed out, and each later
// call tries again.
func (s *Session) saveRotated(ctx context.Context, k keyring.Keyring, rec record.Record, grant *credentials) (*credentials, error) {
	if err := s.put(ctx, k, s.key(rec.AccountID), grant.refresh, s.config.prompt); err != nil {
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
