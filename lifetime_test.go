package authring_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/oauthtest"
	"github.com/authring/authring/record"
)

const day = 24 * time.Hour

func lifetime(t *testing.T, s *authring.Session) authring.Lifetime {
	t.Helper()
	life, err := s.Lifetime()
	if err != nil {
		t.Fatal(err)
	}
	return life
}

// TestLifetimeOfProvider: what the provider is known for, counted from the last
// refresh by whatever process, and from the link.
func TestLifetimeOfProvider(t *testing.T) {
	h := newHouse(t, oauthtest.Options{Rotate: true})
	h.provider.IdleLifetime, h.provider.AbsoluteLifetime = 90*day, 100*day
	synctest.Test(t, func(t *testing.T) {
		s, _ := h.link(t)
		began := time.Now()
		if life := lifetime(t, s); !life.Made.Equal(began) || !life.IdleEnds.Equal(began.Add(90*day)) || !life.Ends.Equal(began.Add(100*day)) || life.Expires() != life.IdleEnds {
			t.Errorf("at first %+v", life)
		}
		time.Sleep(40 * day)
		if _, err := h.open(t).Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		status, err := s.Status(t.Context())
		if life := status.Lifetime; err != nil || !life.Used.Equal(began.Add(40*day)) || !life.IdleEnds.Equal(began.Add(130*day)) || life.Expires() != life.Ends {
			t.Errorf("after a refresh %+v, %v", life, err)
		}
		// A relink begins anew; an unlink leaves nothing.
		if _, err := h.relink(t, s); err != nil {
			t.Fatal(err)
		}
		if life := lifetime(t, s); !life.Ends.Equal(began.Add(140 * day)) {
			t.Errorf("after a relink %+v", life)
		}
		if _, err := s.Unlink(t.Context()); err != nil {
			t.Fatal(err)
		}
		if life := lifetime(t, s); life != (authring.Lifetime{}) {
			t.Errorf("after an unlink %+v", life)
		}
		if _, noted, err := h.layout.LoadRefreshLife("default", began.Add(40*day)); noted || err != nil {
			t.Errorf("a note stays: %v", err)
		}
	})
}

// TestLifetimeUnknown: where nobody says anything, nothing is said, and nothing
// is written.
func TestLifetimeUnknown(t *testing.T) {
	h := newHouse(t, oauthtest.Options{Rotate: true})
	s, _ := h.link(t)
	if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
		t.Fatal(err)
	}
	if life := lifetime(t, s); !life.Expires().IsZero() || !life.IdleEnds.IsZero() {
		t.Errorf("%+v", life)
	}
	if _, noted, err := h.layout.LoadRefreshLife("default", s.Record().Linked); noted || err != nil {
		t.Errorf("a note was written, %v", err)
	}
	if next, err := s.KeepAlive(t.Context()); err != nil || !next.IsZero() {
		t.Errorf("KeepAlive: %v, %v", next, err)
	}
	// It was learned later that it ends: the history knows of the last use.
	h.provider.IdleLifetime = day
	if life := h.open(t); lifetime(t, life).IdleEnds.IsZero() {
		t.Error("the history says nothing")
	}
}

// TestLifetimeSaid: what the server says, and whether a use moves it.
func TestLifetimeSaid(t *testing.T) {
	for _, member := range []string{"refresh_token_expires_in", "refresh_expires_in"} {
		for _, slides := range []bool{true, false} {
			var ends time.Time
			h := newHouse(t, oauthtest.Options{Rotate: true, Answer: func(answer map[string]any) {
				if slides {
					ends = time.Now().Add(10 * day)
				}
				answer[member] = int(time.Until(ends) / time.Second)
			}})
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ends = began.Add(10 * day)
				s, _ := h.link(t)
				if life := lifetime(t, s); !life.Expires().Equal(began.Add(10 * day)) {
					t.Errorf("at first %+v", life)
				}
				time.Sleep(4 * day)
				if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
					t.Fatal(err)
				}
				life := lifetime(t, s)
				if slides && (!life.IdleEnds.Equal(began.Add(14*day)) || !life.Ends.IsZero()) || !slides && (!life.Ends.Equal(began.Add(10*day)) || !life.IdleEnds.IsZero()) {
					t.Errorf("%s, moves %v: %+v", member, slides, life)
				}
			})
		}
	}
}

// TestLifetimeNonsense: what makes no sense ends nothing.
func TestLifetimeNonsense(t *testing.T) {
	for _, said := range []any{0, -1, "x", nil, 1e300, true, []int{1}} {
		h := newHouse(t, oauthtest.Options{Answer: func(answer map[string]any) { answer["refresh_token_expires_in"] = said }})
		s, _ := h.link(t)
		if at := lifetime(t, s).Expires(); !at.IsZero() && time.Until(at) < 365*day {
			t.Errorf("%v: %v", said, at)
		}
	}
}

// TestKeepAlive: a link that nobody uses lives on, with a refresh at half of the
// time, and no more than that; one that is too old ends.
func TestKeepAlive(t *testing.T) {
	h := newHouse(t, oauthtest.Options{Rotate: true})
	h.provider.IdleLifetime, h.provider.AbsoluteLifetime = 10*day, 60*day
	synctest.Test(t, func(t *testing.T) {
		s, _ := h.link(t)
		began := time.Now()
		var refreshed []time.Duration
		h.seen = nil
		for time.Since(began) < 40*day {
			next, err := s.KeepAlive(t.Context())
			if err != nil || !next.After(time.Now()) || time.Until(next) > 5*day {
				t.Fatalf("after %v: %v, %v", time.Since(began), next, err)
			}
			if used := lifetime(t, s).Used.Sub(began); !slices.Contains(refreshed, used) {
				refreshed = append(refreshed, used)
			}
			time.Sleep(day / 2)
		}
		if len(refreshed) != 8 {
			t.Errorf("refreshed after %v", refreshed)
		}
		// Without a network it is tried again soon, and nothing is lost.
		h.down = true
		time.Sleep(6 * day)
		next, err := s.KeepAlive(t.Context())
		wantErr(t, err, authring.ErrConnectionFailed)
		if wait := time.Until(next); wait <= 0 || wait > time.Hour {
			t.Errorf("again in %v", wait)
		}
		h.down = false
	})
}

// TestKeepAliveLocked: nobody is asked.
func TestKeepAliveLocked(t *testing.T) {
	h := newHouse(t, oauthtest.Options{})
	h.provider.IdleLifetime = 10 * day
	synctest.Test(t, func(t *testing.T) {
		h.link(t)
		s := h.open(t, authring.WithPrompt(keyring.NoPrompt))
		h.memory.Fail(keyring.ErrLocked)
		time.Sleep(6 * day)
		next, err := s.KeepAlive(t.Context())
		wantErr(t, err, keyring.ErrLocked)
		if wait := time.Until(next); wait <= 0 || wait > time.Hour {
			t.Errorf("again in %v", wait)
		}
	})
}

// TestScopeMissing: what was asked for and not granted is told and kept.
func TestScopeMissing(t *testing.T) {
	for _, test := range []struct {
		granted any
		want    []string
		scope   string
	}{
		{"a", []string{"b", "c"}, "a"},
		{"c b a", nil, "c b a"},
		{nil, nil, "a b c offline_access"},
		{"a b c d", nil, "a b c d"},
		{"offline_access", []string{"a", "b", "c"}, "offline_access"},
		{"all:c a", []string{"b"}, "all:c a"},
	} {
		h := newHouse(t, oauthtest.Options{Answer: func(answer map[string]any) {
			if delete(answer, "scope"); test.granted != nil {
				answer["scope"] = test.granted
			}
		}})
		h.provider.ScopeIncludes = map[string][]string{"all:c": {"c", "d"}}
		s, saved := h.link(t, authring.WithScope("a", "b", "c", "offline_access"))
		rec, err := h.layout.Load("default")
		if err != nil || !slices.Equal(saved.ScopeMissing, test.want) || !slices.Equal(strings.Fields(rec.ScopeMissing), test.want) || rec.Scope != test.scope {
			t.Errorf("%v: %+v, %+v, %v", test.granted, saved, rec, err)
		}
		if s.Record().ScopeMissing != rec.ScopeMissing {
			t.Errorf("the session says %q", s.Record().ScopeMissing)
		}
		if _, err := s.Unlink(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rec, err := h.layout.Load("default"); err != nil || rec != (record.Record{}) {
			t.Errorf("%+v, %v", rec, err)
		}
	}
}
