package authring_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

func TestAuthURL(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "default")
	first := s.AuthURL()
	if first != s.AuthURL() {
		t.Error("the URL changes though its code is not spent: the page that is open would be of no use")
	}
	u, err := url.Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Scheme != "https" || u.Host != "www.dropbox.com" || u.Path != "/oauth2/authorize" {
		t.Errorf("the URL is %s", first)
	}
	for name, want := range map[string]string{"response_type": "code", "client_id": authring.DefaultAppKey, "token_access_type": "offline", "code_challenge_method": "S256"} {
		if q.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, q.Get(name), want)
		}
	}
	if len(q.Get("code_challenge")) != 43 || q.Has("redirect_uri") || q.Has("scope") {
		t.Errorf("the URL is %s", first)
	}
	if other := w.open(t, "default").AuthURL(); other == first {
		t.Error("two sessions share a code verifier")
	}
}

func TestAuthURLIsFreshAfterARefusal(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "default")
	first := s.AuthURL()
	if err := s.VerifyAuthToken(t.Context(), "no-such-code"); !errors.Is(err, provider.ErrCodeRejected) || authring.ResultCode(err) != 1 {
		t.Errorf("VerifyAuthToken = %v, want ErrCodeRejected", err)
	}
	if s.AuthURL() == first {
		t.Error("the URL is the same after its code was refused")
	}
	if len(w.memory.Items()) != 0 || w.live() != 0 {
		t.Error("something was saved")
	}
}

func TestAuthURLAges(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "default")
	synctest.Test(t, func(t *testing.T) {
		first := s.AuthURL()
		time.Sleep(4 * time.Minute)
		if s.AuthURL() != first {
			t.Error("the URL changed after 4 minutes")
		}
		time.Sleep(2 * time.Minute)
		if s.AuthURL() == first {
			t.Error("the URL has less than half of its time left and is still given out")
		}
	})
}

func TestPastedCodes(t *testing.T) {
	for name, wrap := range map[string]func(string) string{
		"spaces":       func(code string) string { return "  \t" + code + " \r\n" },
		"quotes":       func(code string) string { return `"` + code + `"` },
		"redirect URL": func(code string) string { return "https://example.org/cb?state=x&code=" + url.QueryEscape(code) + "#_" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.open(t, "default")
			code, err := w.dropbox.Approve(s.AuthURL())
			if err != nil {
				t.Fatal(err)
			}
			if err := s.VerifyAuthToken(t.Context(), wrap(code)); err != nil {
				t.Errorf("VerifyAuthToken = %v", err)
			}
		})
	}
	w := newWorld(t)
	s := w.open(t, "default")
	before := s.AuthURL()
	for _, text := range []string{"", "   ", "sl.u.AbCdEf0123456789-long-enough", "https://www.dropbox.com/oauth2/authorize?client_id=x", "two words", "https://example.org/cb?error=access_denied"} {
		if err := s.VerifyAuthToken(t.Context(), text); !errors.Is(err, provider.ErrNotACode) {
			t.Errorf("VerifyAuthToken(%q) = %v, want ErrNotACode", text, err)
		}
	}
	if len(w.dropbox.Requests()) != 0 || s.AuthURL() != before {
		t.Error("what is no code was sent, or ended the link that was begun")
	}
}

func TestFinishInAnotherProcess(t *testing.T) {
	w := newWorld(t)
	pending, err := w.open(t, "default").BeginLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(pending.Expires); left < 9*time.Minute || left > 10*time.Minute {
		t.Errorf("the pending link expires in %v, want 10m", left)
	}
	code, err := w.dropbox.Approve(pending.AuthURL)
	if err != nil {
		t.Fatal(err)
	}
	finish := w.open(t, "default")
	if err := finish.VerifyAuthToken(t.Context(), code); err != nil {
		t.Fatalf("VerifyAuthToken in another session: %v", err)
	}
	if _, err := finish.SaveCreds(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The pending link is spent.
	if err := w.open(t, "default").VerifyAuthToken(t.Context(), code); !errors.Is(err, authring.ErrNoPendingLink) {
		t.Errorf("a second finish = %v, want ErrNoPendingLink", err)
	}
}

func TestAFreshPageAsksForTheSame(t *testing.T) {
	w := newWorld(t, dropboxtest.WithApp(dropboxtest.DefaultApp()), dropboxtest.WithApp(dropboxtest.App{ClientID: "another-app", Scopes: []string{"account_info.read"}}))
	if _, err := w.open(t, "default", authring.WithAppKey("another-app"), authring.WithScope("account_info.read")).BeginLink(t.Context()); err != nil {
		t.Fatal(err)
	}
	finish := w.open(t, "default")
	if err := finish.VerifyAuthToken(t.Context(), "no-such-code"); !errors.Is(err, provider.ErrCodeRejected) {
		t.Fatal(err)
	}
	u, err := url.Parse(finish.AuthURL())
	if err != nil || u.Query().Get("client_id") != "another-app" || u.Query().Get("scope") != "account_info.read" {
		t.Errorf("the fresh page is %s", u)
	}
}

func TestNoPendingLink(t *testing.T) {
	w := newWorld(t)
	err := w.open(t, "default").VerifyAuthToken(t.Context(), "some-code")
	wantErr(t, err, authring.ErrNoPendingLink)
	if len(w.dropbox.Requests()) != 0 {
		t.Error("a code without a verifier was sent")
	}
	_, err = w.open(t, "default").SaveCreds(t.Context())
	wantErr(t, err, authring.ErrNoCredentials)
}

func TestServerFaultsKeepThePendingLink(t *testing.T) {
	for _, fault := range []string{"server-error", "bad-gateway", "captive-portal", "rate-limit", "v1_retired"} {
		t.Run(fault, func(t *testing.T) {
			w := newWorld(t)
			s := w.open(t, "default")
			code, err := w.dropbox.Approve(s.AuthURL())
			if err != nil {
				t.Fatal(err)
			}
			w.dropbox.SetFault(fault)
			err = s.VerifyAuthToken(t.Context(), code)
			if !errors.Is(err, authring.ErrConnectionFailed) || errors.Is(err, authring.ErrInvalidToken) {
				t.Errorf("VerifyAuthToken = %v, want ErrConnectionFailed", err)
			}
			if strings.Contains(err.Error(), code) {
				t.Errorf("the error shows the code: %v", err)
			}
			if n := w.asked("/oauth2/token", "authorization_code"); n != 1 {
				t.Errorf("the code was sent %d times", n)
			}
			w.dropbox.ClearFaults()
			if err := s.VerifyAuthToken(t.Context(), code); err != nil {
				t.Errorf("the same code later: %v", err)
			}
		})
	}
}

func TestRelink(t *testing.T) {
	w := newWorld(t)
	w.link(t, "default")
	old := w.item(t, "default")
	s := w.link(t, "default")
	if w.item(t, "default") == old {
		t.Error("the keyring holds the old refresh token")
	}
	if w.live() != 1 {
		t.Errorf("%d grants are alive after a relink, want 1", w.live())
	}
	if len(w.memory.Items()) != 1 {
		t.Errorf("%d items after a relink, want 1", len(w.memory.Items()))
	}
	if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
		t.Error(err)
	}
}

func TestRelinkRefusesAnotherAccount(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	ada := w.dropbox.User()
	old := w.item(t, "default")
	bob := w.dropbox.SetUser(dropboxtest.User{AccountID: "dbid:BBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJ", GivenName: "Bob", Surname: "B", Email: "bob@example.org"})

	w.verify(t, s)
	_, err := s.SaveCreds(t.Context())
	wantErr(t, err, authring.ErrAccountMismatch)
	if err != nil && (!strings.Contains(err.Error(), "ada@example.org") || !strings.Contains(err.Error(), "bob@example.org")) {
		t.Errorf("the error does not name both accounts: %v", err)
	}
	if err := s.DiscardCreds(t.Context()); err != nil {
		t.Errorf("DiscardCreds: %v", err)
	}
	w.dropbox.SignIn(ada.AccountID)
	if w.item(t, "default") != old || w.live() != 1 || s.AccountID() != ada.AccountID {
		t.Error("the old link is not intact")
	}
	if _, err := s.Token(t.Context(), authring.Fresh()); err != nil {
		t.Errorf("the old link: %v", err)
	}

	w.dropbox.SignIn(bob.AccountID)
	s = w.link(t, "default", authring.WithSwitchAccount())
	if s.AccountID() != bob.AccountID || w.live() != 1 || len(w.memory.Items()) != 1 {
		t.Errorf("after the switch: account %s, %d grants, %d items", s.AccountID(), w.live(), len(w.memory.Items()))
	}
}

func TestTwoNamesOneAccount(t *testing.T) {
	w := newWorld(t)
	a, b := w.link(t, "a"), w.link(t, "b")
	if w.item(t, "a") == w.item(t, "b") || w.live() != 2 {
		t.Error("two config names share a grant")
	}
	if _, err := a.Unlink(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Token(t.Context(), authring.Fresh()); err != nil {
		t.Errorf("unlinking one name ended the other: %v", err)
	}
}

func TestFallBackToPlainText(t *testing.T) {
	for name, kind := range map[string]error{"absent": keyring.ErrAbsent, "unavailable": keyring.ErrUnavailable, "dismissed": keyring.ErrDismissed} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.memory.Fail(kind)
			s := w.open(t, "default")
			w.verify(t, s)
			saved, err := s.SaveCreds(t.Context())
			if err != nil || !saved.Plaintext || saved.Keyring != keyring.Plaintext || saved.Reason == nil || len(saved.Passed) != 1 {
				t.Errorf("SaveCreds() = %+v, %v", saved, err)
			}
			if !w.saw(authring.EventPlaintext) {
				t.Error("no event tells of plain text")
			}
			// While linked, never another keyring.
			w.memory.Fail(nil)
			if k, err := w.open(t, "default").Keyring(t.Context()); err != nil || k.ID() != keyring.Plaintext {
				t.Errorf("Keyring() = %v, %v", k, err)
			}
			if _, err := w.open(t, "default").Token(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPlainTextNeedsConsentWhereAskedFor(t *testing.T) {
	w := newWorld(t)
	w.memory.Fail(keyring.ErrDismissed)
	s := w.open(t, "default", authring.WithPlaintextConsent(authring.NoPlaintext))
	w.verify(t, s)
	_, err := s.SaveCreds(t.Context())
	wantErr(t, err, authring.ErrPlaintextRefused)
	wantErr(t, err, keyring.ErrDismissed)
	if len(w.plain.Items()) != 0 {
		t.Error("the secret is in plain text")
	}
	wantState(t, s, authring.Unlinked)
	// The credentials are still there: the user unlocks the keyring.
	w.memory.Fail(nil)
	if _, err := s.SaveCreds(t.Context()); err != nil {
		t.Errorf("SaveCreds after unlocking: %v", err)
	}
	wantState(t, s, authring.Linked)
}

func TestALockedKeyringIsNoReasonForPlainText(t *testing.T) {
	w := newWorld(t)
	w.memory.Fail(keyring.ErrLocked)
	s := w.open(t, "default")
	w.verify(t, s)
	_, err := s.SaveCreds(t.Context())
	var access *authring.KeyringAccessError
	if !errors.As(err, &access) || access.State != authring.Locked {
		t.Errorf("SaveCreds = %v, want locked", err)
	}
	if len(w.plain.Items()) != 0 {
		t.Error("the secret is in plain text")
	}
}

func TestANamedKeyringIsNeverReplaced(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "default", authring.WithKeyring(keyring.SecretService))
	w.verify(t, s)
	w.memory.Fail(keyring.ErrUnavailable)
	_, err := s.SaveCreds(t.Context())
	wantErr(t, err, keyring.ErrUnavailable)
	if len(w.plain.Items()) != 0 {
		t.Error("the secret is in plain text")
	}
	_, err = w.open(t, "x", authring.WithKeyring("quantum")).ChooseKeyring(t.Context())
	wantErr(t, err, keyring.ErrAbsent)
}

func TestALostWriteIsNoticed(t *testing.T) {
	w := newWorld(t)
	w.memory.After(func(op string, key keyring.Key) {
		if op == "write" {
			// The keyring says yes and keeps something else.
			w.memory.After(nil)
			_ = w.memory.Set(context.Background(), key, secret.New("other"), keyring.NoPrompt)
		}
	})
	s := w.open(t, "default", authring.WithKeyring(keyring.SecretService))
	w.verify(t, s)
	if _, err := s.SaveCreds(t.Context()); err == nil {
		t.Error("SaveCreds succeeded though the keyring lost the secret")
	}
	if _, err := os.Stat(w.recordFile("default")); !os.IsNotExist(err) {
		t.Errorf("there is a record: %v", err)
	}
	if len(w.memory.Items()) != 0 {
		t.Error("an item was left behind")
	}
}

func TestDiskFullWhileSaving(t *testing.T) {
	if alone(t) {
		return
	}
	for _, relink := range []bool{false, true} {
		w := newWorld(t)
		s := w.open(t, "default")
		old := ""
		if relink {
			s = w.link(t, "default")
			old = w.item(t, "default")
			// A record that is the same is not written again.
			ada := w.dropbox.User()
			ada.Surname = "King"
			w.dropbox.SetUser(ada)
		}
		w.verify(t, s)
		restore := diskFull(t)
		_, err := s.SaveCreds(t.Context())
		restore()
		if err == nil {
			t.Fatal("SaveCreds succeeded on a full disk")
		}
		if !strings.Contains(err.Error(), w.home) || !errors.Is(err, syscall.EFBIG) {
			t.Errorf("the error does not name the file and the reason: %v", err)
		}
		if relink {
			if w.item(t, "default") != old {
				t.Error("the old secret was not put back")
			}
			fresh := w.open(t, "default")
			if _, err := fresh.Token(t.Context()); err != nil {
				t.Errorf("the old link: %v", err)
			}
		} else if len(w.memory.Items()) != 0 {
			t.Error("an item was left in the keyring")
		}
		if err := s.DiscardCreds(t.Context()); err != nil {
			t.Errorf("DiscardCreds: %v", err)
		}
		if want := len(w.memory.Items()); w.live() != want {
			t.Errorf("%d grants are alive, want %d", w.live(), want)
		}
	}
}

func TestWhoAmIFails(t *testing.T) {
	// The code is spent; the account came with the token.
	w := newWorld(t)
	s := w.open(t, "default")
	synctest.Test(t, func(t *testing.T) {
		w.verify(t, s)
		w.dropbox.SetFault("api:server-error")
		saved, err := s.SaveCreds(t.Context())
		if err != nil || saved.AccountID != w.dropbox.User().AccountID || saved.Email != "" {
			t.Errorf("SaveCreds() = %+v, %v", saved, err)
		}
	})
	// A token that is refused already is not saved.
	w = newWorld(t)
	s = w.open(t, "default")
	w.verify(t, s)
	w.dropbox.Revoke(w.dropbox.User().AccountID)
	_, err := s.SaveCreds(t.Context())
	wantErr(t, err, authring.ErrInvalidToken)
	if len(w.memory.Items()) != 0 {
		t.Error("a dead grant was saved")
	}
}

func TestDiscardTellsOfALivingGrant(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "default")
	synctest.Test(t, func(t *testing.T) {
		w.verify(t, s)
		w.offline.Store(true)
		err := s.DiscardCreds(t.Context())
		wantErr(t, err, authring.ErrConnectionFailed)
		if !w.saw(authring.EventGrantAlive) || !strings.Contains(err.Error(), "connected_apps") {
			t.Errorf("the error does not say where to revoke by hand: %v", err)
		}
	})
}
