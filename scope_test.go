package authring_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
)

const metadata = "files.metadata.read"

// TestANarrowedTokenCanDoLess by the word of Dropbox itself, and leaves the
// whole token where it is.
func TestANarrowedTokenCanDoLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.link(t, "default")
		s := w.open(t, "default")
		whole, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		narrow, err := s.Token(t.Context(), authring.Scope(metadata))
		if err != nil || narrow.Scope != metadata || narrow.AccessToken.Equal(whole.AccessToken) {
			t.Fatalf("the narrowed token has the scope %q, equal %v, %v", narrow.Scope, narrow.AccessToken.Equal(whole.AccessToken), err)
		}
		for token, want := range map[authring.Secret]int{whole.AccessToken: http.StatusOK, narrow.AccessToken: http.StatusUnauthorized} {
			if got := w.account(t, token); got != want {
				t.Errorf("get_current_account = %d, want %d", got, want)
			}
		}
		if again, err := s.Token(t.Context()); err != nil || !again.AccessToken.Equal(whole.AccessToken) {
			t.Errorf("the whole token was replaced: %v", err)
		}

		// It is shared by those who ask for the same, in whatever order.
		both, err := s.Token(t.Context(), authring.Scope(metadata, "account_info.read"))
		if err != nil || w.account(t, both.AccessToken) != http.StatusOK {
			t.Fatalf("a token of two scopes: %v", err)
		}
		before := w.refreshes()
		for _, opts := range [][]authring.TokenOption{
			{authring.Scope("account_info.read", metadata, metadata)},
			{authring.Scope(metadata), authring.Scope("account_info.read"), authring.MinValid(time.Hour)},
		} {
			if again, err := s.Token(t.Context(), opts...); err != nil || !again.AccessToken.Equal(both.AccessToken) {
				t.Errorf("the same scope gave another token, %v", err)
			}
		}
		if again, err := s.Token(t.Context(), authring.Scope(metadata)); err != nil || !again.AccessToken.Equal(narrow.AccessToken) {
			t.Errorf("the first scope gave another token, %v", err)
		}
		if w.refreshes() != before {
			t.Errorf("%d refreshes for tokens that are in memory", w.refreshes()-before)
		}

		time.Sleep(4*time.Hour - 5*time.Minute + time.Second)
		if again, err := s.Token(t.Context(), authring.Scope(metadata)); err != nil || again.AccessToken.Equal(narrow.AccessToken) {
			t.Errorf("with less than five minutes left: the same token, %v", err)
		}
		_, err = s.Token(t.Context(), authring.Scope(metadata), authring.MinValid(5*time.Hour))
		wantErr(t, err, authring.ErrValidityTooLong)
		before = w.refreshes()
		if _, err := s.Token(t.Context(), authring.Scope(metadata), authring.Fresh()); err != nil || w.refreshes() != before+1 {
			t.Errorf("Fresh() made %d refreshes, %v", w.refreshes()-before, err)
		}
	})
}

// account asks Dropbox whose a token is, which needs account_info.read.
func (w *world) account(t *testing.T, token authring.Secret) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.dropboxapi.com/2/users/get_current_account", strings.NewReader("null"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	resp, err := w.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func TestScopesThatCannotBeHad(t *testing.T) {
	w := newWorld(t)
	w.link(t, "default")
	s := w.open(t, "default")
	before := w.refreshes()
	for _, scope := range [][]string{nil, {""}, {"a b"}, {"a\"b"}, {`a\b`}, {"a\nb"}, {"ä"}} {
		_, err := s.Token(t.Context(), authring.Scope(scope...))
		wantErr(t, err, authring.ErrCannotNarrow)
	}
	_, err := s.Token(t.Context(), authring.Scope(metadata, "team_data.member"))
	wantErr(t, err, authring.ErrMissingScope)
	if w.refreshes() != before {
		t.Errorf("%d requests for what cannot be had", w.refreshes()-before)
	}

	narrowless := *provider.Dropbox()
	narrowless.NarrowsScope = false
	_, err = w.open(t, "default", authring.WithProvider(&narrowless)).Token(t.Context(), authring.Scope(metadata))
	wantErr(t, err, authring.ErrCannotNarrow)
}

// TestTheProviderKnowsTheGrantBetter than a record without a scope, such as
// Maestral's.
func TestTheProviderKnowsTheGrantBetter(t *testing.T) {
	w := newWorld(t)
	w.link(t, "default", authring.WithApp("Maestral"))
	s := w.open(t, "default", authring.WithApp("Maestral"))
	_, err := s.Token(t.Context(), authring.Scope("team_data.member"))
	wantErr(t, err, authring.ErrMissingScope)
	if token, err := s.Token(t.Context(), authring.Scope(metadata)); err != nil || token.Scope != metadata {
		t.Errorf("Token() has the scope %q, %v", token.Scope, err)
	}
	wantState(t, s, authring.Linked)
}

// answering changes the scope of the answers to refreshes.
type answering struct {
	http.RoundTripper
	scope any
}

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.RoundTripper.RoundTrip(req)
	if err != nil || req.URL.Path != "/oauth2/token" {
		return resp, err
	}
	members := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&members); err != nil {
		return nil, err
	}
	members["scope"] = a.scope
	body, err := json.Marshal(members)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, err
}

func TestATokenThatMayDoMoreIsNotHandedOut(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer any
		scope  string
		err    error
	}{
		{"more", metadata + " files.content.write", "", authring.ErrCannotNarrow},
		{"another", "files.content.write", "", authring.ErrCannotNarrow},
		{"written in another way", metadata + ",files.content.write", "", authring.ErrCannotNarrow},
		{"the same", metadata, metadata, nil},
		{"none named, which is the same", nil, metadata, nil},
		{"the same twice", metadata + " " + metadata, metadata + " " + metadata, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, dropboxtest.WithRotation())
			w.link(t, "default")
			rotating := *provider.Dropbox()
			rotating.Replay = provider.ReplaySingleUse
			s := w.open(t, "default", authring.WithProvider(&rotating), authring.WithTransport(answering{w, test.answer}))
			before := w.item(t, "default")
			token, err := s.Token(t.Context(), authring.Scope(metadata))
			if test.err != nil {
				wantErr(t, err, test.err)
				_, err = s.Token(t.Context(), authring.Scope(metadata))
				wantErr(t, err, test.err)
			} else if err != nil || token.Scope != test.scope {
				t.Errorf("Token() has the scope %q, %v; want %q", token.Scope, err, test.scope)
			}
			// The refresh token that came with it is the link's all the same.
			if w.item(t, "default") == before {
				t.Error("the new refresh token was not saved")
			}
			if _, err := w.open(t, "default", authring.WithProvider(&rotating)).Token(t.Context()); err != nil {
				t.Errorf("the link is broken: %v", err)
			}
		})
	}
}

func TestALegacyTokenIsNotNarrowed(t *testing.T) {
	w := newWorld(t)
	w.link(t, "default")
	text := strings.Replace(w.record(t, "default"), "token_access_type = offline", "token_access_type = legacy", 1)
	if err := os.WriteFile(w.recordFile("default"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.put(t, "default", w.dropbox.LegacyToken(w.dropbox.User().AccountID))
	s := w.open(t, "default")
	_, err := s.Token(t.Context(), authring.Scope(metadata))
	wantErr(t, err, authring.ErrCannotNarrow)
	if _, err := s.Token(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNarrowedTokensEndWithTheGrant at an unlink, and when it was revoked.
func TestNarrowedTokensEndWithTheGrant(t *testing.T) {
	w := newWorld(t)
	w.link(t, "default")
	for _, test := range []struct {
		name string
		end  func(*authring.Session) error
		want error
	}{
		{"revoked", func(s *authring.Session) error {
			w.dropbox.Revoke(w.dropbox.User().AccountID)
			if _, err := s.Token(t.Context(), authring.Fresh()); !errors.Is(err, authring.ErrRevoked) {
				return err
			}
			w.put(t, "default", w.dropbox.RefreshToken(w.dropbox.User().AccountID))
			w.offline.Store(true)
			return nil
		}, authring.ErrConnectionFailed},
		{"unlinked", func(s *authring.Session) error {
			_, err := s.Unlink(t.Context())
			return err
		}, authring.ErrNotLinked},
	} {
		w.offline.Store(false)
		s := w.open(t, "default")
		if _, err := s.Token(t.Context(), authring.Scope(metadata)); err != nil {
			t.Fatal(err)
		}
		if err := test.end(s); err != nil {
			t.Fatal(err)
		}
		_, err := s.Token(t.Context(), authring.Scope(metadata))
		wantErr(t, err, test.want)
	}
}

// TestNarrowedTokensAreBounded however many scopes are asked for, and asked
// for at once.
func TestNarrowedTokensAreBounded(t *testing.T) {
	w := newWorld(t)
	w.link(t, "default")
	s := w.open(t, "default")
	all := strings.Fields(s.Record().Scope)
	var wg sync.WaitGroup
	if len(all) < 6 {
		t.Fatalf("Dropbox grants %d scopes, which is too few for this test", len(all))
	}
	for set := 1; set < 1<<6; set++ {
		var scope []string
		for i := range 6 {
			if set&(1<<i) != 0 {
				scope = append(scope, all[i])
			}
		}
		for range 2 {
			wg.Go(func() {
				token, err := s.Token(t.Context(), authring.Scope(scope...))
				if err != nil || token.Scope != strings.Join(scope, " ") {
					t.Errorf("asked for %v: got %q, %v", scope, token.Scope, err)
				}
			})
		}
	}
	wg.Wait()
	if n := s.Narrowed(); n > 32 {
		t.Errorf("%d narrowed tokens are remembered", n)
	}
}

// TestOnePromptAtATime however many scopes are asked for while the keyring is
// locked.
func TestOnePromptAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		w.link(t, "default")
		var prompts atomic.Int32
		var unlocked atomic.Bool
		w.memory.BeforePrompt(func(_ string, prompt keyring.Prompt) error {
			if unlocked.Load() {
				return nil
			}
			if prompt == keyring.NoPrompt {
				return keyring.ErrLocked
			}
			prompts.Add(1)
			time.Sleep(10 * time.Second) // the user types
			unlocked.Store(true)
			return nil
		})
		s := w.open(t, "default")
		var wg sync.WaitGroup
		for _, opts := range [][]authring.TokenOption{nil, {authring.Scope(metadata)}, {authring.Scope("account_info.read")}} {
			wg.Go(func() {
				if _, err := s.Token(t.Context(), opts...); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if prompts.Load() != 1 {
			t.Errorf("%d prompts, want 1", prompts.Load())
		}
	})
}
