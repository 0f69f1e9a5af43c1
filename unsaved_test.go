package authring_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
)

// refuse makes the keyring fail at some operation until it is called with "".
func (w *world) refuse(refused string) {
	w.memory.Before(func(op string, _ keyring.Key) error {
		if op == refused {
			return keyring.ErrUnavailable
		}
		return nil
	})
}

func wantUnavailable(t *testing.T, err error) {
	t.Helper()
	if access := (*authring.KeyringAccessError)(nil); !errors.As(err, &access) || access.State != authring.Unavailable {
		t.Fatalf("error = %v, want one of a keyring that cannot be used", err)
	}
}

// One process has a new refresh token that the keyring does not take. The others
// must not use the old one, which would end the grant.
func TestATokenThatIsKeptIsNotReplayed(t *testing.T) {
	for name, rule := range map[string]struct {
		replay provider.Replay
		opts   []dropboxtest.Option
	}{
		"single use": {provider.ReplaySingleUse, []dropboxtest.Option{dropboxtest.WithReuseDetection()}},
		"grace":      {provider.ReplayGrace, []dropboxtest.Option{dropboxtest.WithReuseDetection(), dropboxtest.WithGrace(time.Minute)}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := bubble(t, rule.opts...)
				option := withReplay(rule.replay, time.Minute)
				w.link(t, "default", option)
				keeper, other := w.open(t, "default", option), w.open(t, "default", option)
				w.refuse("write")
				_, err := keeper.Token(t.Context())
				wantUnavailable(t, err)
				n := w.refreshes()
				for range 3 {
					_, err = other.Token(t.Context())
					wantUnavailable(t, err)
				}
				// Reading the keyring again must not cost the new one.
				if err := keeper.Load(t.Context()); err != nil {
					t.Error(err)
				}
				if w.refreshes() != n {
					t.Error("the old refresh token was presented again")
				}
				w.refuse("")
				for _, s := range []*authring.Session{keeper, other} {
					if _, err := s.Token(t.Context()); err != nil {
						t.Error(err)
					}
					wantState(t, s, authring.Linked)
				}
			})
		})
	}
}

// The process that kept the new token is gone, and it with it.
func TestATokenThatWasKeptDiesWithItsProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		single := withReplay(provider.ReplaySingleUse, 0)
		w := bubble(t, dropboxtest.WithReuseDetection())
		w.link(t, "default", single)
		keeper := w.open(t, "default", single)
		w.refuse("write")
		_, err := keeper.Token(t.Context())
		wantUnavailable(t, err)
		if err := keeper.Close(); err != nil {
			t.Fatal(err)
		}
		w.refuse("")
		s := w.open(t, "default", single)
		_, err = s.Token(t.Context())
		wantErr(t, err, authring.ErrRevoked)
		wantState(t, s, authring.Revoked)
	})
}

// A keyring that reported an error and wrote all the same, and another process
// that went on from there.
func TestAKeptTokenIsNotWrittenBlindly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		single := withReplay(provider.ReplaySingleUse, 0)
		w := bubble(t, dropboxtest.WithReuseDetection())
		w.link(t, "default", single)
		keeper, other := w.open(t, "default", single), w.open(t, "default", single)
		wrote := false
		w.memory.After(func(op string, _ keyring.Key) { wrote = wrote || op == "write" })
		w.memory.Before(func(op string, _ keyring.Key) error {
			if op == "read" && wrote {
				return keyring.ErrUnavailable
			}
			return nil
		})
		_, err := keeper.Token(t.Context())
		wantUnavailable(t, err)
		w.memory.After(nil)
		w.refuse("")
		if _, err := other.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		newest := w.item(t, "default")
		w.refuse("read")
		_, err = keeper.Token(t.Context())
		wantUnavailable(t, err)
		if got := w.item(t, "default"); got != newest {
			t.Error("an older refresh token was written over a newer one")
		}
		w.refuse("")
		if _, err := keeper.Token(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestMemoryIsNotTrustedWithSingleUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		single := withReplay(provider.ReplaySingleUse, 0)
		w := bubble(t, dropboxtest.WithReuseDetection())
		s := w.link(t, "default", single)
		time.Sleep(5 * time.Hour)
		if _, err := w.open(t, "default", single).Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.memory.Fail(keyring.ErrLocked)
		n := w.refreshes()
		_, err := s.Token(t.Context())
		wantErr(t, err, keyring.ErrLocked)
		if w.refreshes() != n {
			t.Error("a refresh token was presented that another process had used")
		}
		w.memory.Fail(nil)
		if _, err := s.Token(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// An answer that says nothing of the token does not end a doubt about it.
func TestADoubtOutlivesARateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		single := withReplay(provider.ReplaySingleUse, 0)
		w := bubble(t, dropboxtest.WithReuseDetection())
		w.link(t, "default", single)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w.dropAnswers.Store(1)
		if _, err := w.open(t, "default", single).Token(ctx); err == nil {
			t.Fatal("the answer was not lost")
		}
		s := w.open(t, "default", single, authring.WithTransport(limited{}))
		for range 3 {
			_, err := s.Token(t.Context())
			wantErr(t, err, provider.ErrRateLimited)
		}
		a, ok, err := s.Layout().LoadAttempt("default")
		if err != nil || !ok || a.Tries != 1 {
			t.Errorf("the note is %+v, %v, %v", a, ok, err)
		}
	})
}

// limited is a server that asks for more patience than anybody has.
type limited struct{}

func (limited) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Body.Close(); err != nil {
		return nil, err
	}
	header := http.Header{"Retry-After": {"3600"}}
	return &http.Response{StatusCode: http.StatusTooManyRequests, Header: header, Body: http.NoBody, Request: req}, nil
}
