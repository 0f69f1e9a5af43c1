package authring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring/internal/killpoint"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

// transaction is one refresh: under the link's lock, read again, redeem once,
// save durably, publish.
type transaction struct {
	s       *Session
	rec     record.Record
	client  *provider.Client
	keyring keyring.Keyring
	grant   *credentials
	to      *narrowed // nil: all that was granted

	// attempt is the note that is on disk while the request is out.
	attempt record.Attempt
	// doubt is set when an earlier presentation of the same refresh token
	// has an outcome that nobody knows.
	doubt bool
	noted bool
}

func (t *transaction) run(ctx context.Context) error {
	presented, key, err := t.s.unbind(t.grant.refresh)
	if err != nil {
		return err
	}
	if err := t.begin(); err != nil {
		return err
	}
	killpoint.Here("refresh: noted")
	defer t.s.waitingForProvider()()
	sent := t.s.clock.Now()
	token, err := proves(t.client, key).Refresh(ctx, presented, t.to.request())
	killpoint.Here("refresh: answered")
	if errors.Is(err, provider.ErrRevoked) {
		token, sent, err = t.refused(ctx, err)
	}
	if err != nil {
		t.fail(err)
		return fmt.Errorf("could not get an access token for %q: %w", t.s.name, err)
	}
	presented, key, _ = t.s.unbind(t.grant.refresh) // another one may have been adopted
	rotated := !token.RefreshToken.IsZero() && !token.RefreshToken.Equal(presented)
	if rotated {
		// RFC 6749 section 6: "The authorization server MAY issue a new
		// refresh token, in which case the client MUST discard the old
		// refresh token and replace it with the new refresh token."
		renewed := *t.grant
		renewed.replaces, renewed.refresh, renewed.unsaved = t.grant.refresh, bind(token.RefreshToken, key), true
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
	t.s.noteUse(t.rec, token.RefreshExpiresIn, rotated)
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
	if t.to != nil {
		return t.s.publishNarrowed(t.to, t.grant, token, sent)
	}
	t.s.publish(t.grant, token, sent)
	return nil
}

// refused decides what an invalid_grant means. If the keyring by now holds
// another refresh token, that one is used; otherwise the provider is asked once
// more, and only a second refusal counts. For a token that was in doubt, or that
// is marked as revoked, this was the second. Nothing is deleted.
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
	again := !t.doubt || s.config.provider.Replay == provider.ReplayReusable
	if mark := t.rec.Revoked; mark != nil && mark.Fingerprint == s.fingerprint(t.grant.refresh) {
		again = false
	}
	if adopted || again {
		presented, key, unreadable := s.unbind(t.grant.refresh)
		if unreadable != nil {
			return nil, sent, unreadable
		}
		var token *provider.Token
		if token, err = proves(t.client, key).Refresh(ctx, presented, t.to.request()); err == nil || !errors.Is(err, provider.ErrRevoked) {
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
