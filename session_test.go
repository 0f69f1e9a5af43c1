package authring_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

func TestOpenTouchesNothing(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "default")
	if got := w.memory.Calls(); got != 0 {
		t.Errorf("Open used the keyring %d times", got)
	}
	if got := len(w.dropbox.Requests()); got != 0 {
		t.Errorf("Open made %d requests", got)
	}
	entries, err := os.ReadDir(w.home)
	if err != nil || len(entries) != 0 {
		t.Errorf("Open left %v in the home, %v", entries, err)
	}
	if s.AccountID() != "" || s.ConfigName() != "default" || !s.AccessTokenExpiration().IsZero() {
		t.Errorf("unlinked session: account %q, name %q", s.AccountID(), s.ConfigName())
	}
	if linked, err := s.Linked(t.Context()); linked || err != nil {
		t.Errorf("Linked() = %v, %v", linked, err)
	}
	_, err = s.RefreshToken(t.Context())
	wantErr(t, err, authring.ErrNotLinked)
	_, err = s.Token(t.Context())
	wantErr(t, err, authring.ErrNotLinked)
	wantState(t, s, authring.Unlinked)
}

func TestOpenRefusesBadNames(t *testing.T) {
	newWorld(t)
	for _, name := range []string{"", "a b", "a/b", `a\b`, "..", "a\tb", strings.Repeat("x", 65), "a\x00b"} {
		var bad *record.NameError
		if _, err := authring.Open(name); !errors.As(err, &bad) {
			t.Errorf("Open(%q) = %v, want a NameError", name, err)
		}
	}
}

func TestLinkLoadUnlink(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "work")
	w.verify(t, s)

	// As in the seed: full credentials in memory, nothing stored.
	if linked, err := s.Linked(t.Context()); !linked || err != nil {
		t.Errorf("Linked() after the code = %v, %v", linked, err)
	}
	wantState(t, s, authring.Unlinked)
	access, err := s.AccessToken(t.Context())
	if err != nil || !strings.HasPrefix(access.Reveal(), "sl.") {
		t.Errorf("AccessToken() = %d bytes, %v", len(access.Reveal()), err)
	}
	if left := time.Until(s.AccessTokenExpiration()); left < 3*time.Hour || left > 4*time.Hour {
		t.Errorf("the access token ends in %v, want about 4h", left)
	}

	saved, err := s.SaveCreds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := authring.Saved{AccountID: w.dropbox.User().AccountID, Email: "ada@example.org", DisplayName: "Ada Lovelace", Keyring: keyring.SecretService, KeyringName: "memory (secret-service)"}
	if saved.AccountID != want.AccountID || saved.Email != want.Email || saved.DisplayName != want.DisplayName || saved.Keyring != want.Keyring || saved.KeyringName != want.KeyringName || saved.Plaintext {
		t.Errorf("SaveCreds() = %+v, want %+v", saved, want)
	}
	wantState(t, s, authring.Linked)

	refresh, err := s.RefreshToken(t.Context())
	if err != nil || refresh.Reveal() != w.item(t, "work") {
		t.Errorf("the keyring does not hold the refresh token: %v", err)
	}
	text := w.record(t, "work")
	for _, line := range []string{"[auth]", "account_id = " + want.AccountID, "keyring = secret-service", "token_access_type = offline", "provider = dropbox"} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("the record lacks %q:\n%s", line, text)
		}
	}
	for _, hidden := range []string{refresh.Reveal(), access.Reveal()} {
		if strings.Contains(text, hidden) {
			t.Error("the record holds a token")
		}
	}

	// Another process: the refresh token, and no access token.
	other := w.open(t, "work")
	if access, err := other.AccessToken(t.Context()); err != nil || !access.IsZero() {
		t.Errorf("AccessToken() of another session: empty %v, %v", access.IsZero(), err)
	}
	if got, err := other.RefreshToken(t.Context()); err != nil || !got.Equal(refresh) {
		t.Errorf("RefreshToken() of another session: equal %v, %v", got.Equal(refresh), err)
	}
	if kind, err := other.TokenAccessType(t.Context()); err != nil || kind != authring.Offline {
		t.Errorf("TokenAccessType() = %v, %v", kind, err)
	}
	if !other.AccessTokenExpiration().IsZero() {
		t.Error("another session has an expiry")
	}

	result, err := other.Unlink(t.Context())
	if err != nil || !result.Revoked || result.Queued || result.RevokeErr != nil || result.Leftover != nil {
		t.Errorf("Unlink() = %+v, %v", result, err)
	}
	if w.live() != 0 {
		t.Errorf("%d grants are alive after unlink", w.live())
	}
	if items := w.memory.Items(); len(items) != 0 {
		t.Errorf("the keyring holds %v after unlink", items)
	}
	wantState(t, other, authring.Unlinked)
	// The first session learns of it.
	wantState(t, s, authring.Unlinked)
	_, err = s.Token(t.Context(), authring.Fresh())
	wantErr(t, err, authring.ErrNotLinked)
	_, err = other.Unlink(t.Context())
	wantErr(t, err, authring.ErrNotLinked)
}

func TestStates(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	for _, test := range []struct {
		kind error
		want authring.State
	}{
		{keyring.ErrLocked, authring.Locked},
		{keyring.ErrDismissed, authring.Locked},
		{keyring.ErrUnavailable, authring.Unavailable},
		{keyring.ErrAbsent, authring.Unavailable},
		{keyring.ErrNotFound, authring.SecretMissing},
		{nil, authring.Linked},
	} {
		w.memory.Fail(test.kind)
		fresh := w.open(t, "default")
		wantState(t, fresh, test.want)
		status, err := fresh.Status(t.Context())
		if err != nil || (status.Reason == nil) != (test.kind == nil) {
			t.Errorf("%v: Status().Reason = %v, %v", test.want, status.Reason, err)
		}
		if fresh.AccountID() == "" {
			t.Errorf("%v: the account is forgotten", test.want)
		}
		linked, err := fresh.Linked(t.Context())
		if linked != (test.kind == nil) || (err == nil) != (test.kind == nil) {
			t.Errorf("%v: Linked() = %v, %v", test.want, linked, err)
		}
		if test.kind == nil {
			continue
		}
		var access *authring.KeyringAccessError
		if err := fresh.Load(t.Context()); !errors.As(err, &access) || access.State != test.want {
			t.Errorf("%v: Load() = %v", test.want, err)
		}
	}
	w.memory.Fail(keyring.ErrLocked)
	_, err := w.open(t, "default").Token(t.Context())
	wantErr(t, err, keyring.ErrLocked)
	w.memory.Fail(nil)
	// What was locked is usable in the same session once it is unlocked.
	if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
		t.Errorf("Token() after unlocking: %v", err)
	}
}

func TestKeyringOfAnotherBuild(t *testing.T) {
	w := newWorld(t)
	w.link(t, "default")
	text := strings.Replace(w.record(t, "default"), "keyring = secret-service", "keyring = quantum", 1)
	if err := os.WriteFile(w.recordFile("default"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := w.open(t, "default")
	status, err := s.Status(t.Context())
	if err != nil || status.State != authring.Unavailable || !strings.Contains(status.Reason.Error(), "quantum") {
		t.Errorf("Status() = %v, %v (%v)", status.State, err, status.Reason)
	}
	// The way out.
	if result, err := s.Unlink(t.Context(), authring.LocalOnly()); err != nil || result.Leftover == nil {
		t.Errorf("Unlink(LocalOnly()) = %+v, %v", result, err)
	}
	wantState(t, s, authring.Unlinked)
}

func TestBrokenRecordIsKept(t *testing.T) {
	w := newWorld(t)
	path := w.recordFile("default")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	const broken = "[auth]\naccount_id = dbid:x\nthis is no key\n"
	if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := authring.Open("default", authring.WithKeyrings(w.memory))
	var broke *record.FileError
	if !errors.As(err, &broke) || broke.Line != 3 || !strings.Contains(err.Error(), path) {
		t.Errorf("Open() = %v, want a FileError of line 3", err)
	}
	if got, _ := os.ReadFile(path); string(got) != broken {
		t.Errorf("the file now holds %q", got)
	}
}

func TestLegacyTokens(t *testing.T) {
	for name, typeLine := range map[string]string{"named": "token_access_type = legacy\n", "unnamed": ""} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			account := w.dropbox.User().AccountID
			token := w.dropbox.LegacyToken(account)
			w.put(t, "old", token)
			path := w.recordFile("old")
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("[auth]\naccount_id = "+account+"\nkeyring = secret-service\n"+typeLine), 0o600); err != nil {
				t.Fatal(err)
			}
			s := w.open(t, "old")
			if kind, err := s.TokenAccessType(t.Context()); err != nil || kind != authring.Legacy {
				t.Errorf("TokenAccessType() = %v, %v", kind, err)
			}
			if access, err := s.AccessToken(t.Context()); err != nil || access.Reveal() != token {
				t.Errorf("AccessToken(): equal %v, %v", access.Reveal() == token, err)
			}
			if refresh, err := s.RefreshToken(t.Context()); err != nil || !refresh.IsZero() {
				t.Errorf("RefreshToken(): empty %v, %v", refresh.IsZero(), err)
			}
			got, err := s.Token(t.Context(), authring.MinValid(24*time.Hour))
			if err != nil || got.AccessToken.Reveal() != token || !got.Expires.IsZero() {
				t.Errorf("Token(): equal %v, expires %v, %v", got.AccessToken.Reveal() == token, got.Expires, err)
			}
			resp, err := s.Client(t.Context()).Post("https://api.dropboxapi.com/2/check/user", "application/json", strings.NewReader(`{"query":"x"}`))
			if err != nil || resp.StatusCode != 200 {
				t.Fatalf("the API answers %v, %v", resp, err)
			}
			_ = resp.Body.Close()
			if result, err := s.Unlink(t.Context()); err != nil || !result.Revoked {
				t.Errorf("Unlink() = %+v, %v", result, err)
			}
			if w.refreshes() != 0 {
				t.Error("a legacy token was refreshed")
			}
			if len(w.memory.Items()) != 0 {
				t.Error("the token is still in the keyring")
			}
		})
	}
}

func TestCancelledCalls(t *testing.T) {
	w := newWorld(t)
	w.link(t, "default")
	s := w.open(t, "default")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Token(ctx)
	wantErr(t, err, context.Canceled)
	wantErr(t, s.Load(ctx), context.Canceled)
	_, err = s.State(ctx)
	wantErr(t, err, context.Canceled)
	_, err = s.Unlink(ctx)
	wantErr(t, err, context.Canceled)
	wantErr(t, s.DeleteCreds(ctx), context.Canceled)
	_, err = s.BeginLink(ctx)
	wantErr(t, err, context.Canceled)
	wantState(t, s, authring.Linked)
	if w.live() != 1 || len(w.memory.Items()) != 1 {
		t.Errorf("%d grants, %d items after cancelled calls; want 1, 1", w.live(), len(w.memory.Items()))
	}
}

func TestResultCode(t *testing.T) {
	for err, want := range map[error]int{
		nil:                          0,
		authring.ErrInvalidToken:     1,
		authring.ErrRevoked:          1,
		authring.ErrConnectionFailed: 2,
		authring.ErrNotLinked:        -1,
	} {
		if got := authring.ResultCode(err); got != want {
			t.Errorf("ResultCode(%v) = %d, want %d", err, got, want)
		}
	}
}

func TestTheTokenOfAnotherProviderIsNotSent(t *testing.T) {
	w := newWorld(t)
	w.link(t, "default")
	text := strings.Replace(w.record(t, "default"), "provider = dropbox", "provider = other", 1)
	if err := os.WriteFile(w.recordFile("default"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.dropbox.ResetRequests()
	s := w.open(t, "default")
	if _, err := s.Token(t.Context()); err == nil || !strings.Contains(err.Error(), `"other"`) {
		t.Errorf("Token() = %v", err)
	}
	if _, err := s.Unlink(t.Context()); err == nil || !strings.Contains(err.Error(), `"other"`) {
		t.Errorf("Unlink() = %v", err)
	}
	if len(w.dropbox.Requests()) != 0 {
		t.Error("the token was sent to Dropbox")
	}
}

func TestNobodyIsAskedUnderTheLock(t *testing.T) {
	w := newWorld(t)
	w.link(t, "default")
	s := w.open(t, "default")
	locked, asked := true, 0
	w.memory.BeforePrompt(func(op string, prompt keyring.Prompt) error {
		if !locked {
			return nil
		}
		if prompt == keyring.NoPrompt {
			return keyring.ErrLocked
		}
		asked++
		held, err := filelock.Acquire(t.Context(), s.Layout().LockPath("default"))
		if err != nil {
			t.Errorf("the link's lock is held while the user is asked: %v", err)
			return keyring.ErrDismissed
		}
		_ = held.Release()
		locked = false
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := s.Token(ctx); err != nil || asked != 1 {
		t.Errorf("Token() = %v, asked %d times", err, asked)
	}
}
