package authring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

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
