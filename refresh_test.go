package authring_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// withReplay is Dropbox with another rule for refresh tokens.
func withReplay(rule provider.Replay, window time.Duration) authring.Option {
	p := provider.Dropbox()
	p.Replay, p.GraceWindow = rule, window
	return authring.WithProvider(p)
}

func history(t *testing.T, s *authring.Session) []string {
	t.Helper()
	events, err := s.History()
	if err != nil {
		t.Fatal(err)
	}
	var what []string
	for _, e := range events {
		what = append(what, e.What)
	}
	return what
}

func TestSuspendAndClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.link(t, "default")
		s := w.open(t, "default")
		first, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// The second call starts the timers of the fast path.
		if _, err := s.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.clock.suspend(24 * time.Hour)
		synctest.Wait()
		got, err := s.Token(t.Context())
		if err != nil || got.AccessToken.Equal(first.AccessToken) {
			t.Errorf("after a day asleep: the dead token is handed out: %v, %v", got.AccessToken.Equal(first.AccessToken), err)
		}
		// A nap that leaves the token good.
		refreshes := w.refreshes()
		w.clock.suspend(time.Hour)
		synctest.Wait()
		if again, err := s.Token(t.Context()); err != nil || !again.AccessToken.Equal(got.AccessToken) || w.refreshes() != refreshes {
			t.Errorf("after an hour asleep: %v, %d refreshes", err, w.refreshes()-refreshes)
		}
	})
}

func TestAPausedMachineLearnsFromTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A virtual machine that was paused: no clock of it moved.
		var paused time.Duration
		w := newWorld(t, dropboxtest.WithClock(func() time.Time { return time.Now().Add(paused) }))
		w.clock = newTestClock()
		w.link(t, "default")
		s := w.open(t, "default")
		old, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		paused = 3*time.Hour + 57*time.Minute
		// An answer of the server tells its time; the token has three
		// minutes left, which is less than callers are promised.
		if got := check(t, s.Client(t.Context()), strings.NewReader(`{"query":"a"}`)); got != 200 {
			t.Fatalf("status %d", got)
		}
		if got, err := s.Token(t.Context()); err != nil || got.AccessToken.Equal(old.AccessToken) {
			t.Errorf("the token that is nearly over is handed out: %v", err)
		}
	})
}

func TestRenewedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		s := w.link(t, "default")
		w.slow(10 * time.Second) // from here on every refresh takes its time
		last, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		changes := 0
		for range 24 * 60 {
			time.Sleep(time.Minute)
			before := time.Now()
			got, err := s.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if time.Since(before) != 0 {
				t.Errorf("a busy caller waited %v", time.Since(before))
			}
			if !got.AccessToken.Equal(last.AccessToken) {
				changes++
				last = got
			}
		}
		// A life of 4 h, renewed at 80 to 85 %.
		if changes < 7 || changes > 8 {
			t.Errorf("%d renewals in 24 h, want one each 3.2 to 3.4 h", changes)
		}
		// Nobody asks: nothing is renewed.
		n := w.refreshes()
		time.Sleep(48 * time.Hour)
		if w.refreshes() != n {
			t.Errorf("%d refreshes for nobody", w.refreshes()-n)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if n := w.clock.running(); n != 0 {
			t.Errorf("%d timers run after Close", n)
		}
	})
}

func TestCloseEndsARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		s := w.link(t, "default")
		for range 2 {
			if _, err := s.Token(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.slow(25 * time.Second)
		time.Sleep(3*time.Hour + 30*time.Minute)
		if _, err := s.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		before := time.Now()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if time.Since(before) > time.Second {
			t.Errorf("Close took %v", time.Since(before))
		}
		// The bubble itself fails when a goroutine is left.
	})
}

func TestRenewalThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		s := w.link(t, "default")
		for range 2 {
			if _, err := s.Token(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(3*time.Hour + 30*time.Minute)
		w.offline.Store(true)
		for range 60 {
			if _, err := s.Token(t.Context()); err != nil {
				t.Errorf("a token that is still good is not handed out: %v", err)
			}
			time.Sleep(10 * time.Second)
		}
		w.offline.Store(false)
		time.Sleep(time.Minute)
		n := w.refreshes()
		for range 2 {
			if _, err := s.Token(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if w.refreshes() != n+1 {
			t.Errorf("%d refreshes once the network is back, want 1", w.refreshes()-n)
		}
	})
}

// The answer to a refresh gets lost after the provider acted; what the next
// process does follows the provider's rule.
func TestAnswerLost(t *testing.T) {
	for name, test := range map[string]struct {
		rule   provider.Replay
		window time.Duration
		after  time.Duration // until the next try
		opts   []dropboxtest.Option
		want   error
		state  authring.State
	}{
		"reusable": {rule: provider.ReplayReusable, state: authring.Linked},
		"grace, in time": {
			rule: provider.ReplayGrace, window: 30 * time.Second, after: 20 * time.Second,
			opts: []dropboxtest.Option{dropboxtest.WithReuseDetection(), dropboxtest.WithGrace(30 * time.Second)}, state: authring.Linked,
		},
		"grace, too late": {
			rule: provider.ReplayGrace, window: 30 * time.Second, after: time.Minute,
			opts: []dropboxtest.Option{dropboxtest.WithReuseDetection(), dropboxtest.WithGrace(30 * time.Second)},
			want: authring.ErrRevoked, state: authring.Revoked,
		},
		"single use": {
			rule: provider.ReplaySingleUse, opts: []dropboxtest.Option{dropboxtest.WithReuseDetection()},
			want: authring.ErrRevoked, state: authring.Revoked,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := bubble(t, test.opts...)
				w.link(t, "default", withReplay(test.rule, test.window))
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				w.dropAnswers.Store(1)
				if _, err := w.open(t, "default", withReplay(test.rule, test.window)).Token(ctx); err == nil && test.rule != provider.ReplayReusable {
					t.Fatal("the answer was not lost")
				}
				if n := w.refreshes(); test.rule != provider.ReplayReusable && n != 1 {
					t.Fatalf("%d redemptions, want 1", n)
				}
				time.Sleep(test.after)
				// The next process.
				s := w.open(t, "default", withReplay(test.rule, test.window))
				_, err := s.Token(t.Context())
				if !errors.Is(err, test.want) {
					t.Errorf("the next process got %v, want %v", err, test.want)
				}
				wantState(t, s, test.state)
				if test.rule == provider.ReplaySingleUse {
					if n := w.refreshes(); n != 2 {
						t.Errorf("the old token was presented %d times, want 2", n)
					}
					if !w.saw(authring.EventInDoubt) || !slices.Contains(history(t, s), record.EventInDoubt) {
						t.Error("nobody was told")
					}
					status, _ := s.Status(t.Context())
					if status.Reason == nil || !strings.Contains(status.Reason.Error(), "lost") {
						t.Errorf("the reason is %v", status.Reason)
					}
				}
			})
		})
	}
}

func TestARequestThatNeverLeftIsNotInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		single := withReplay(provider.ReplaySingleUse, 0)
		w := bubble(t, dropboxtest.WithReuseDetection())
		w.link(t, "default", single)
		w.offline.Store(true)
		for range 3 {
			_, err := w.open(t, "default", single).Token(t.Context())
			wantErr(t, err, provider.ErrUnreachable)
		}
		w.offline.Store(false)
		s := w.open(t, "default", single)
		if _, err := s.Token(t.Context()); err != nil {
			t.Errorf("Token() = %v", err)
		}
		if got := history(t, s); slices.Contains(got, record.EventInDoubt) {
			t.Errorf("history %v", got)
		}
	})
}

func TestASingleUseTokenIsPresentedTwiceAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		single := withReplay(provider.ReplaySingleUse, 0)
		w := bubble(t)
		w.link(t, "default", single)
		w.dropAnswers.Store(100)
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := w.open(t, "default", single).Token(ctx)
			cancel()
			if err == nil {
				t.Fatal("the answer was not lost")
			}
		}
		if n := w.refreshes(); n != 2 {
			t.Errorf("the token was presented %d times, want 2", n)
		}
		_, err := w.open(t, "default", single).Token(t.Context())
		wantErr(t, err, authring.ErrInDoubt)
		// The cure.
		w.dropAnswers.Store(0)
		w.link(t, "default", single)
		if _, err := w.open(t, "default", single).Token(t.Context()); err != nil {
			t.Errorf("after a relink: %v", err)
		}
	})
}

func TestReadOnlyConfigFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t, dropboxtest.WithRotation())
		w.link(t, "default")
		before, err := os.Stat(w.recordFile("default"))
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := w.open(t, "default").Token(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		after, err := os.Stat(w.recordFile("default"))
		if err != nil || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
			t.Error("a refresh rewrote the record")
		}
	})
}

func TestStateFolderThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.link(t, "default")
		state := filepath.Join(w.home, "XDG_STATE_HOME")
		if err := os.RemoveAll(state); err != nil {
			t.Fatal(err)
		}
		// A file in the folder's place: root is stopped by it as well.
		if err := os.WriteFile(state, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := w.open(t, "default").Token(t.Context()); err != nil {
			t.Errorf("with reusable refresh tokens: %v", err)
		}
		_, err := w.open(t, "default", withReplay(provider.ReplaySingleUse, 0)).Token(t.Context())
		if err == nil || !strings.Contains(err.Error(), "single use") {
			t.Errorf("with single-use refresh tokens: %v", err)
		}
	})
}

func TestAKeyringThatIsRestartedWhileATokenIsRotated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t, dropboxtest.WithRotation())
		w.link(t, "default")
		fails := 3
		w.memory.Before(func(op string, _ keyring.Key) error {
			if op == "write" && fails > 0 {
				fails--
				return keyring.ErrUnavailable
			}
			return nil
		})
		if _, err := w.open(t, "default").Token(t.Context()); err != nil {
			t.Errorf("Token() = %v", err)
		}
		if _, err := w.open(t, "default").Token(t.Context()); err != nil {
			t.Errorf("Token() of another process = %v", err)
		}
	})
}

func TestAMarkedTokenIsPresentedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.link(t, "default")
		w.dropbox.Revoke(w.dropbox.User().AccountID)
		for _, want := range []int{2, 3, 4} {
			_, err := w.open(t, "default").Token(t.Context())
			wantErr(t, err, authring.ErrRevoked)
			if n := w.refreshes(); n != want {
				t.Errorf("%d presentations, want %d", n, want)
			}
		}
	})
}

func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t, dropboxtest.WithRotation())
		s := w.link(t, "default")
		for range 2 {
			if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
				t.Fatal(err)
			}
		}
		w.dropbox.SetFault("server-error")
		if _, err := s.Token(t.Context(), authring.Fresh()); err == nil {
			t.Fatal("no error")
		}
		w.dropbox.ClearFaults()
		w.dropbox.Revoke(w.dropbox.User().AccountID)
		if _, err := s.Token(t.Context(), authring.Fresh()); err == nil {
			t.Fatal("no error")
		}
		want := []string{record.EventLinked, record.EventRotated, record.EventRotated, record.EventFailed, record.EventRevoked}
		if got := history(t, s); !slices.Equal(got, want) {
			t.Errorf("history %v, want %v", got, want)
		}
		events, _ := s.History()
		seen := map[string]bool{}
		for _, e := range events[:3] {
			if len(e.Fingerprint) != 12 || seen[e.Fingerprint] || e.Keyring != keyring.SecretService || !strings.Contains(e.Process, "pid") || e.At.IsZero() {
				t.Errorf("event %+v", e)
			}
			seen[e.Fingerprint] = true
		}
		if last := events[4]; !seen[last.Fingerprint] || !strings.Contains(last.Detail, "revoked") {
			t.Errorf("event %+v", last)
		}
		// Bounded, however long the link lives.
		w.link(t, "default")
		s = w.open(t, "default")
		for range 200 {
			if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
				t.Fatal(err)
			}
		}
		if got := history(t, s); len(got) != record.HistoryLength {
			t.Errorf("%d events, want %d", len(got), record.HistoryLength)
		}
		info, err := os.Stat(filepath.Join(w.home, "XDG_STATE_HOME", "authring", "history", "default.jsonl"))
		if err != nil || info.Size() > 32<<10 || info.Mode().Perm() != 0o600 {
			t.Errorf("the file has %d bytes, mode %v, %v", info.Size(), info.Mode(), err)
		}
		data, _ := os.ReadFile(filepath.Join(w.home, "XDG_STATE_HOME", "authring", "history", "default.jsonl"))
		if strings.Contains(string(data), w.item(t, "default")) {
			t.Error("the history holds the refresh token")
		}
	})
}

func TestALinkCutShortIsCompleted(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "default")
	w.verify(t, s)
	// The process dies after the secret is safe and before the record is.
	died := errors.New("died")
	intents := filepath.Join(w.home, "XDG_STATE_HOME", "authring", "intents")
	w.memory.After(func(op string, _ keyring.Key) {
		if op == "write" {
			w.memory.After(nil)
			saved, err := os.ReadFile(filepath.Join(intents, "default.json"))
			if err != nil {
				t.Errorf("there is no note before the secret is written: %v", err)
			}
			w.memory.Before(func(string, keyring.Key) error { return died })
			w.afterDeath = func() {
				if err := os.WriteFile(filepath.Join(intents, "default.json"), saved, 0o600); err != nil {
					t.Error(err)
				}
			}
		}
	})
	if _, err := s.SaveCreds(t.Context()); err == nil {
		t.Fatal("no error")
	}
	w.memory.Before(nil)
	w.afterDeath()
	next := w.open(t, "default")
	wantState(t, next, authring.Linked)
	if next.AccountID() == "" || next.Record().Email != "ada@example.org" {
		t.Errorf("the completed record is %+v", next.Record())
	}
	if _, err := next.Token(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(intents, "default.json")); !os.IsNotExist(err) {
		t.Errorf("the note is still there: %v", err)
	}
}

func TestANoteWithoutItsSecretIsForgotten(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	rec := s.Record()
	rec.AccountID = "dbid:another"
	if err := s.Layout().SaveIntent("default", record.Intent{Record: rec, Fingerprint: "0123456789ab"}); err != nil {
		t.Fatal(err)
	}
	wantState(t, s, authring.Linked)
	if s.AccountID() != w.dropbox.User().AccountID {
		t.Errorf("the link is now to %s", s.AccountID())
	}
	if _, ok, err := s.Layout().LoadIntent("default"); ok || err != nil {
		t.Errorf("the note is still there: %v, %v", ok, err)
	}
}

func TestRelinkOfflineLeavesTheOldGrantForLater(t *testing.T) {
	w := newWorld(t)
	w.link(t, "default")
	s := w.open(t, "default")
	w.verify(t, s)
	synctest.Test(t, func(t *testing.T) {
		w.dropbox.SetFault("auth/token/revoke:server-error")
		if _, err := s.SaveCreds(t.Context()); err != nil {
			t.Fatal(err)
		}
		if w.live() != 2 || !w.saw(authring.EventRevocationQueued) {
			t.Errorf("%d grants", w.live())
		}
		w.dropbox.ClearFaults()
		if done, err := s.RetryRevocations(t.Context()); err != nil || len(done) != 1 || !done[0].Done {
			t.Errorf("RetryRevocations() = %+v, %v", done, err)
		}
		if w.live() != 1 || len(w.memory.Items()) != 1 {
			t.Errorf("%d grants, %d items", w.live(), len(w.memory.Items()))
		}
	})
}

func TestFingerprintsTellNothing(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	f, err := s.Layout().Fingerprints()
	if err != nil {
		t.Fatal(err)
	}
	a, b := f.Of(secret.New("a")), f.Of(secret.New("b"))
	if a == b || len(a) != 12 || f.Of(secret.Secret{}) != "" {
		t.Errorf("fingerprints %q, %q", a, b)
	}
	w.home = t.TempDir()
	t.Setenv("XDG_STATE_HOME", w.home)
	t.Setenv("LocalAppData", w.home)
	other, err := w.open(t, "x").Layout().Fingerprints()
	if err != nil || other.Of(secret.New("a")) == a {
		t.Errorf("another machine gives the same fingerprint, %v", err)
	}
}
