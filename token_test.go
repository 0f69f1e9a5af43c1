package authring_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
)

func TestTokenIsCachedAndRefreshedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.link(t, "default")
		s := w.open(t, "default")
		first, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if left := time.Until(first.Expires); left != 4*time.Hour {
			t.Errorf("the token lives %v, want 4h", left)
		}
		for range 3 {
			if again, err := s.Token(t.Context()); err != nil || !again.AccessToken.Equal(first.AccessToken) {
				t.Errorf("the next call: equal %v, %v", again.AccessToken.Equal(first.AccessToken), err)
			}
		}
		if w.refreshes() != 1 {
			t.Errorf("%d refreshes, want 1", w.refreshes())
		}
		time.Sleep(4*time.Hour - 5*time.Minute)
		if again, err := s.Token(t.Context()); err != nil || !again.AccessToken.Equal(first.AccessToken) {
			t.Errorf("with just five minutes left: equal %v, %v", again.AccessToken.Equal(first.AccessToken), err)
		}
		time.Sleep(time.Second)
		if again, err := s.Token(t.Context()); err != nil || again.AccessToken.Equal(first.AccessToken) {
			t.Errorf("with less than five minutes left: equal %v, %v", again.AccessToken.Equal(first.AccessToken), err)
		}
		before := w.refreshes()
		if got, err := s.Token(t.Context(), authring.MinValid(4*time.Hour)); err != nil || time.Until(got.Expires) < 4*time.Hour {
			t.Errorf("Token(MinValid(4h)) has %v, %v", time.Until(got.Expires), err)
		}
		_, err = s.Token(t.Context(), authring.MinValid(5*time.Hour))
		wantErr(t, err, authring.ErrValidityTooLong)
		fresh, err := s.Token(t.Context(), authring.Fresh())
		if err != nil || w.refreshes() <= before {
			t.Errorf("Fresh() made no request, %v", err)
		}
		if again, _ := s.Token(t.Context()); !again.AccessToken.Equal(fresh.AccessToken) {
			t.Error("the fresh token is not the one that callers get next")
		}
	})
}

// bubble is a world for a synctest bubble: times of Dropbox are the bubble's.
func bubble(t *testing.T, opts ...dropboxtest.Option) *world {
	t.Helper()
	w := newWorld(t, append(opts, dropboxtest.WithClock(time.Now))...)
	w.clock = newTestClock()
	return w
}

func TestTokensThatLiveShorterThanTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t, dropboxtest.WithAccessTokenTTL(time.Minute))
		w.link(t, "default")
		s := w.open(t, "default")
		for range 240 {
			got, err := s.Token(t.Context())
			if err != nil || time.Until(got.Expires) < 20*time.Second {
				t.Fatalf("Token() has %v, %v", time.Until(got.Expires), err)
			}
			time.Sleep(time.Second)
		}
		if n := w.refreshes(); n < 7 || n > 9 {
			t.Errorf("%d refreshes in 4 minutes of one-minute tokens, want one each half minute", n)
		}
	})
}

func TestCallersShareARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.link(t, "default")
		s := w.open(t, "default")
		w.slow(10 * time.Second)
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			start := time.Now()
			if _, err := s.Token(impatient); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
				t.Errorf("the impatient caller got %v after %v", err, time.Since(start))
			}
		})
		for range 100 {
			wg.Go(func() {
				if _, err := s.Token(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if w.refreshes() != 1 {
			t.Errorf("%d refreshes for 101 callers, want 1", w.refreshes())
		}
		if !w.saw(authring.EventWaiting) {
			t.Error("no event tells what is awaited")
		}
	})
}

func TestServerFaultsAreNotRevocation(t *testing.T) {
	for _, fault := range []string{"v1_retired", "server-error", "bad-gateway", "captive-portal", "truncated-json", "rate-limit", "empty-body"} {
		t.Run(fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := bubble(t)
				w.link(t, "default")
				s := w.open(t, "default")
				w.dropbox.SetFault(fault)
				_, err := s.Token(t.Context())
				if !errors.Is(err, authring.ErrConnectionFailed) || errors.Is(err, authring.ErrInvalidToken) {
					t.Errorf("Token() = %v, want ErrConnectionFailed", err)
				}
				wantState(t, s, authring.Linked)
				w.dropbox.ClearFaults()
				if _, err := s.Token(t.Context()); err != nil {
					t.Errorf("Token() after the fault: %v", err)
				}
				// One that goes away is not seen at all.
				w.dropbox.FaultNext(fault, 1)
				if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
					t.Errorf("Token() with a passing fault: %v", err)
				}
			})
		})
	}
}

func TestRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		s := w.link(t, "default")
		secret := w.item(t, "default")
		w.dropbox.Revoke(w.dropbox.User().AccountID)
		_, err := s.Token(t.Context(), authring.Fresh())
		wantErr(t, err, authring.ErrRevoked)
		wantErr(t, err, authring.ErrInvalidToken)
		if w.refreshes() != 2 {
			t.Errorf("%d refreshes, want a second one that confirms", w.refreshes())
		}
		wantState(t, s, authring.Revoked)
		wantState(t, w.open(t, "default"), authring.Revoked)
		if !w.saw(authring.EventRevoked) {
			t.Error("no event tells of it")
		}
		if w.item(t, "default") != secret || !strings.Contains(w.record(t, "default"), "account_id = dbid:") {
			t.Error("something was deleted")
		}
		if _, err := s.Token(t.Context()); !errors.Is(err, authring.ErrRevoked) {
			t.Errorf("the cached token is still handed out: %v", err)
		}

		// Cured by a relink, and by a token that another program stored.
		w.put(t, "default", w.dropbox.RefreshToken(w.dropbox.User().AccountID))
		if _, err := s.Token(t.Context()); err != nil {
			t.Error(err)
		}
		wantState(t, w.open(t, "default"), authring.Linked)
	})
}

func TestInvalidGrantAdoptsANewerToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.link(t, "default")
		s := w.open(t, "default")
		account := w.dropbox.User().AccountID
		w.dropbox.Revoke(account)
		newer := w.dropbox.RefreshToken(account)
		reads := 0
		w.memory.After(func(op string, _ keyring.Key) {
			// Another process relinks between our read and our request.
			if reads++; op == "read" && reads == 1 {
				w.memory.After(nil)
				w.put(t, "default", newer)
			}
		})
		if _, err := s.Token(t.Context()); err != nil {
			t.Errorf("Token() = %v", err)
		}
		wantState(t, s, authring.Linked)
	})
}

func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t, dropboxtest.WithRotation())
		w.link(t, "default")
		s := w.open(t, "default")
		for range 3 {
			old := w.item(t, "default")
			if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
				t.Fatal(err)
			}
			if w.item(t, "default") == old {
				t.Error("the new refresh token was not saved")
			}
		}
		// The keyring fails at that moment: nobody hears of the access
		// token, and the new refresh token is not lost.
		w.memory.Before(func(op string, _ keyring.Key) error {
			if op == "write" {
				return keyring.ErrUnavailable
			}
			return nil
		})
		for range 2 {
			_, err := s.Token(t.Context(), authring.Fresh())
			wantErr(t, err, keyring.ErrUnavailable)
		}
		w.memory.Before(nil)
		if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
			t.Errorf("once the keyring works again: %v", err)
		}
		if _, err := w.open(t, "default").Token(t.Context()); err != nil {
			t.Errorf("another session: %v", err)
		}
	})
}

func TestARelinkElsewhereIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		s := w.link(t, "default")
		old, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.link(t, "default") // revokes the old grant
		got, err := s.Token(t.Context(), authring.Fresh())
		if err != nil || got.AccessToken.Equal(old.AccessToken) {
			t.Errorf("Token() after a relink elsewhere: %v", err)
		}
	})
}

func TestALockedKeyringDoesNotStopALongSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		s := w.link(t, "default")
		w.memory.Fail(keyring.ErrLocked)
		time.Sleep(5 * time.Hour)
		if _, err := s.Token(t.Context()); err != nil {
			t.Errorf("Token() with a keyring that was locked meanwhile: %v", err)
		}
	})
}

func TestOfflineKeepsTheGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		s := w.link(t, "default")
		w.offline.Store(true)
		// A token that is still good is handed out without the network.
		if _, err := s.Token(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Hour)
		_, err := s.Token(t.Context())
		wantErr(t, err, provider.ErrUnreachable)
		wantState(t, s, authring.Linked)
		w.offline.Store(false)
		if _, err := s.Token(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

const checkURL = "https://api.dropboxapi.com/2/check/user"

func check(t *testing.T, client *http.Client, body io.Reader) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, checkURL, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || len(text) == 0 {
		t.Errorf("the answer's body: %q, %v", text, err)
	}
	return resp.StatusCode
}

func TestClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		s := w.link(t, "default")
		client := s.Client(t.Context())
		if got := check(t, client, strings.NewReader(`{"query":"a"}`)); got != 200 {
			t.Errorf("status %d", got)
		}

		// Expired, though our clock says otherwise: refreshed once, sent again.
		w.dropbox.ExpireAccessTokens()
		if got := check(t, client, strings.NewReader(`{"query":"a"}`)); got != 200 || w.refreshes() != 1 {
			t.Errorf("after an expired token: status %d, %d refreshes", got, w.refreshes())
		}

		// A body that cannot be had again: the 401 is told, the next works.
		w.dropbox.ExpireAccessTokens()
		once := struct{ io.Reader }{strings.NewReader(`{"query":"a"}`)}
		if got := check(t, client, once); got != 401 {
			t.Errorf("with a body that cannot be sent again: status %d", got)
		}
		if got := check(t, client, strings.NewReader(`{"query":"a"}`)); got != 200 {
			t.Errorf("the request after it: status %d", got)
		}

		// A 401 that stays is tried once only.
		before := w.refreshes()
		w.dropbox.SetFault("api:invalid-token")
		w.dropbox.ResetRequests()
		if got := check(t, client, strings.NewReader(`{"query":"a"}`)); got != 401 || w.asked("/2/check/user", "") != 2 {
			t.Errorf("a lasting 401: status %d, %d requests (%d refreshes before)", got, w.asked("/2/check/user", ""), before)
		}
	})
}

func TestClientKeepsTheTokenToTheProvider(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	w.dropbox.ResetRequests()
	for _, address := range []string{
		"https://example.org/", "https://api.dropboxapi.com.example.org/", "http://api.dropboxapi.com/2/check/user",
		"https://api.dropboxapi.com:8443/2/check/user", "https://user@evil.example/", "http://127.0.0.1:1/",
	} {
		resp, err := s.Client(t.Context()).Get(address)
		if err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s got the token", address)
		}
	}
	if n := len(w.dropbox.Requests()); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestClientMissingScope(t *testing.T) {
	// A 401 that is not about the token's validity is the caller's to see.
	w := newWorld(t)
	s := w.link(t, "default")
	before := w.refreshes()
	w.dropbox.Suspend(w.dropbox.User().AccountID, true)
	if got := check(t, s.Client(t.Context()), strings.NewReader(`{"query":"a"}`)); got != 401 {
		t.Errorf("status %d, want 401", got)
	}
	if w.refreshes() != before {
		t.Error("a refresh was tried for a suspended account")
	}
}

func TestTokenSource(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	got, err := s.TokenSource(t.Context()).Token()
	want, _ := s.Token(t.Context())
	if err != nil || got.AccessToken != want.AccessToken.Reveal() || !got.Expiry.Equal(want.Expires) || got.Type() != "Bearer" {
		t.Errorf("Token() = %v, %v", got.Expiry, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.open(t, "default").TokenSource(ctx).Token(); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func TestTokensDoNotPrint(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	token, err := s.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	refresh := w.item(t, "default")
	text := fmt.Sprintf("%v %+v %#v %v %+v %v", token, token, token, s, s, w.events)
	for _, secret := range []string{token.AccessToken.Reveal(), refresh} {
		if strings.Contains(text, secret) {
			t.Errorf("a token shows in %s", text)
		}
	}
}

func BenchmarkToken(b *testing.B) {
	s := benchSession(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Token(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTokenParallel(b *testing.B) {
	s := benchSession(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Token(b.Context()); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
