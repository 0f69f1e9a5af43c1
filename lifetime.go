package authring

import (
	"context"
	"errors"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

// Lifetime is how long the refresh token of a link lives, as far as the provider
// is known, or has said. Times are of the wall clock; zero is never, or unknown.
type Lifetime struct {
	// Made is when the link was made, Used when it was last refreshed.
	Made, Used time.Time
	// IdleEnds is when it ends if it is not refreshed until then.
	IdleEnds time.Time
	// Ends is when it ends however often it is used. Only a relink helps.
	Ends time.Time
}

// Expires is when the link ends if nobody does anything.
func (l Lifetime) Expires() time.Time { return earlier(l.IdleEnds, l.Ends) }

// earlier is the first of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Lifetime tells how long the refresh token lives. It looks at files only; the
// error is about them.
func (s *Session) Lifetime() (Lifetime, error) {
	rec, err := s.reload()
	if err != nil {
		return Lifetime{}, err
	}
	return s.lifetime(rec), nil
}

// lifetime is Lifetime of a record that was read. What cannot be read is not
// known.
func (s *Session) lifetime(rec record.Record) Lifetime {
	if rec.Empty() || rec.TokenAccessType != string(Offline) || s.checkProvider(rec) != nil {
		return Lifetime{}
	}
	note, noted, err := s.layout.LoadRefreshLife(s.name, rec.Linked)
	if err != nil {
		s.config.logger.Debug("when the link was used is not known", "config", s.name, "error", err)
	}
	life := Lifetime{Made: rec.Linked, Used: note.Used}
	if !noted {
		life.Used = s.lastUse(rec)
	}
	if idle := s.config.provider.IdleLifetime; idle > 0 && !life.Used.IsZero() {
		life.IdleEnds = life.Used.Add(idle)
	}
	if most := s.config.provider.AbsoluteLifetime; most > 0 && !life.Made.IsZero() {
		life.Ends = life.Made.Add(most)
	}
	if note.Fixed {
		life.Ends = earlier(life.Ends, note.Expires)
	} else {
		life.IdleEnds = earlier(life.IdleEnds, note.Expires)
	}
	return life
}

// lastUse is when the history saw the link used.
func (s *Session) lastUse(rec record.Record) time.Time {
	used := rec.Linked
	events, err := s.History()
	if err != nil {
		return used
	}
	for _, e := range events {
		if (e.What == record.EventRefreshed || e.What == record.EventRotated) && e.At.After(used) {
			used = e.At.UTC()
		}
	}
	return used
}

// noteUse notes that the refresh token of a link was used, or made, now, and
// what the server said of its life. Where nothing ends it, nothing is noted. The
// caller holds the link's lock.
func (s *Session) noteUse(rec record.Record, said time.Duration, replaced bool) {
	now := time.Now().UTC().Truncate(time.Second)
	if rec.TokenAccessType != string(Offline) {
		return
	}
	before, noted, err := s.layout.LoadRefreshLife(s.name, rec.Linked)
	if err == nil && !noted && said == 0 && s.config.provider.IdleLifetime == 0 {
		return
	}
	note := record.RefreshLife{Linked: rec.Linked, Used: now}
	switch {
	case said > 0:
		note.Expires = now.Add(said)
		note.Fixed = before.Fixed
		// A time that each use moves is further off by as much as went by.
		if passed := now.Sub(before.Used); noted && !before.Expires.IsZero() && passed > time.Minute {
			note.Fixed = note.Expires.Sub(before.Expires) < passed/2
		}
	case noted && !replaced:
		// It is the same token, of which the server says no more.
		note.Expires, note.Fixed = before.Expires, true
	}
	if note.Expires.IsZero() {
		note.Fixed = false
	}
	if err := s.layout.SaveRefreshLife(s.name, note); err != nil {
		s.config.logger.Debug("could not note the use of a link", "config", s.name, "error", err)
	}
}

const (
	// keepAliveRetry is how long after a refresh that failed it is tried again,
	// and keepAliveRest how soon after one that did not help.
	keepAliveRetry = 10 * time.Minute
	keepAliveRest  = 15 * time.Minute
)

// KeepAlive refreshes a link of which half of the time is gone that its refresh
// token may be unused, so that it does not end for want of use. It returns when
// to call it again; zero: there is nothing to keep alive. The agent calls it for
// all links. Nobody is asked to unlock a keyring, unless the session's
// [WithPrompt] says so. The errors are those of [Session.Token].
func (s *Session) KeepAlive(ctx context.Context) (next time.Time, err error) {
	life, err := s.Lifetime()
	if err != nil {
		return time.Time{}, err
	}
	if s.Record().Revoked != nil {
		return time.Time{}, nil
	}
	due := life.due()
	if due.IsZero() || time.Now().Before(due) {
		return due, nil
	}
	err = s.refreshing.Do(ctx, s.refresh)
	switch {
	case errors.Is(err, ErrRevoked), errors.Is(err, ErrInDoubt), errors.Is(err, ErrNotLinked), errors.Is(err, ErrSecretMissing):
		return time.Time{}, err
	case errors.Is(err, keyring.ErrLocked):
		return time.Now().Add(keepAliveRest), err
	case err != nil:
		return time.Now().Add(keepAliveRetry), err
	}
	if life, err = s.Lifetime(); err != nil {
		return time.Time{}, err
	}
	if due = life.due(); !due.IsZero() && due.Before(time.Now()) {
		due = time.Now().Add(keepAliveRest)
	}
	return due, nil
}

// due is when a link is to be refreshed so that it lives on.
func (l Lifetime) due() time.Time {
	if l.IdleEnds.IsZero() || l.Used.IsZero() {
		return time.Time{}
	}
	return l.Used.Add(l.IdleEnds.Sub(l.Used) / 2)
}

// missingScope is what was asked for and not granted (RFC 6749 section 3.3).
// What a server need not repeat, since the token itself shows it, is not missed.
func missingScope(asked []string, granted []string, token *provider.Token, includes map[string][]string) []string {
	given := map[string]bool{"openid": !token.IDToken.IsZero(), "offline_access": !token.RefreshToken.IsZero()}
	for _, scope := range granted {
		given[scope] = true
		for _, part := range includes[scope] {
			given[part] = true
		}
	}
	var missing []string
	for _, scope := range asked {
		if !given[scope] {
			missing = append(missing, scope)
			given[scope] = true
		}
	}
	return missing
}
