package authring_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
)

func TestUnlinkOffline(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	refresh := w.item(t, "default")
	synctest.Test(t, func(t *testing.T) {
		w.offline.Store(true)
		result, err := s.Unlink(t.Context())
		if err != nil || result.Revoked || !result.Queued {
			t.Errorf("Unlink() = %+v, %v", result, err)
		}
		wantErr(t, result.RevokeErr, authring.ErrConnectionFailed)
		if !w.saw(authring.EventRevocationQueued) {
			t.Error("no event tells of the revocation that is left")
		}
		wantState(t, s, authring.Unlinked)
		items := w.memory.Items()
		if len(items) != 1 {
			t.Fatalf("the keyring holds %v, want the grant to be revoked", items)
		}
		for key, value := range items {
			if !strings.HasPrefix(key.User, "revoke:") || value.Reveal() != refresh {
				t.Errorf("the keyring holds %v", key)
			}
		}

		// Still offline: it stays.
		retried, err := w.open(t, "other").RetryRevocations(t.Context())
		if err != nil || len(retried) != 1 || retried[0].Done || retried[0].Err == nil || retried[0].Config != "default" {
			t.Errorf("RetryRevocations offline = %+v, %v", retried, err)
		}
		w.offline.Store(false)
		retried, err = w.open(t, "other").RetryRevocations(t.Context())
		if err != nil || len(retried) != 1 || !retried[0].Done || retried[0].Err != nil {
			t.Errorf("RetryRevocations online = %+v, %v", retried, err)
		}
		if w.live() != 0 || len(w.memory.Items()) != 0 {
			t.Errorf("%d grants, %d items are left", w.live(), len(w.memory.Items()))
		}
		if retried, err = w.open(t, "other").RetryRevocations(t.Context()); err != nil || len(retried) != 0 {
			t.Errorf("RetryRevocations with nothing to do = %+v, %v", retried, err)
		}
	})
}

func TestRetryDoesNotEndALinkThatLives(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	refresh := w.item(t, "default")
	synctest.Test(t, func(t *testing.T) {
		// An unlink that is killed after it left the revocation for later
		// and before it deleted the secret.
		w.offline.Store(true)
		killed := errors.New("killed")
		w.memory.Before(func(op string, key keyring.Key) error {
			if op == "delete" {
				return killed
			}
			return nil
		})
		_, err := s.Unlink(t.Context())
		wantErr(t, err, killed)
		wantState(t, s, authring.Linked)
		w.memory.Before(nil)
		w.offline.Store(false)
		if _, err := s.RetryRevocations(t.Context()); err != nil {
			t.Fatal(err)
		}
		if w.live() != 1 || w.item(t, "default") != refresh || len(w.memory.Items()) != 1 {
			t.Errorf("%d grants, items %v: the link was ended", w.live(), w.memory.Items())
		}
		// And it can be unlinked again.
		if result, err := s.Unlink(t.Context()); err != nil || !result.Revoked {
			t.Errorf("Unlink() again = %+v, %v", result, err)
		}
	})
}

func TestUnlinkLocalOnly(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	w.dropbox.ResetRequests()
	result, err := s.Unlink(t.Context(), authring.LocalOnly())
	if err != nil || result.Revoked || result.Queued || result.Leftover != nil {
		t.Errorf("Unlink(LocalOnly()) = %+v, %v", result, err)
	}
	if len(w.dropbox.Requests()) != 0 || w.live() != 1 {
		t.Error("the provider was asked")
	}
	if len(w.memory.Items()) != 0 {
		t.Error("the secret is still there")
	}
}

func TestUnlinkWithABrokenKeyring(t *testing.T) {
	for name, kind := range map[string]error{"locked": keyring.ErrLocked, "unavailable": keyring.ErrUnavailable} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.link(t, "default")
			w.memory.Fail(kind)
			_, err := s.Unlink(t.Context())
			wantErr(t, err, kind)
			wantErr(t, s.DeleteCreds(t.Context()), kind)
			if s.AccountID() == "" || w.live() != 1 {
				t.Error("something was changed")
			}
			result, err := s.Unlink(t.Context(), authring.LocalOnly())
			if err != nil || result.Leftover == nil {
				t.Errorf("Unlink(LocalOnly()) = %+v, %v", result, err)
			}
			wantErr(t, result.Leftover, kind)
			wantState(t, s, authring.Unlinked)
		})
	}
}

func TestUnlinkWithoutASecret(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	if err := w.memory.Delete(t.Context(), w.key("default"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	wantState(t, s, authring.SecretMissing)
	result, err := s.Unlink(t.Context())
	if err != nil || result.Revoked || result.Queued {
		t.Errorf("Unlink() = %+v, %v", result, err)
	}
	wantErr(t, result.RevokeErr, authring.ErrSecretMissing)
	wantState(t, s, authring.Unlinked)
}

func TestUnlinkARevokedGrant(t *testing.T) {
	w := newWorld(t)
	s := w.link(t, "default")
	w.dropbox.Revoke(w.dropbox.User().AccountID)
	if result, err := s.Unlink(t.Context()); err != nil || !result.Revoked || result.RevokeErr != nil {
		t.Errorf("Unlink() = %+v, %v", result, err)
	}
}

func TestDeleteCreds(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "default")
	if err := s.DeleteCreds(t.Context()); err != nil {
		t.Errorf("DeleteCreds without a link = %v", err)
	}
	s = w.link(t, "default")
	other := w.open(t, "default")
	if err := other.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteCreds(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, session := range []*authring.Session{s, other} {
		wantState(t, session, authring.Unlinked)
		if linked, err := session.Linked(t.Context()); linked || err != nil {
			t.Errorf("Linked() = %v, %v", linked, err)
		}
	}
	if len(w.memory.Items()) != 0 || w.live() != 1 {
		t.Error("DeleteCreds is local: it deletes the item and leaves the grant")
	}
}

// TestUnlinkOneOfTwoConfigs: old versions of Maestral kept the secret under the
// account's name alone, which two configs may have in common.
func TestUnlinkOneOfTwoConfigs(t *testing.T) {
	for name, unlink := range map[string]func(*authring.Session) error{
		"DeleteCreds": func(s *authring.Session) error { return s.DeleteCreds(t.Context()) },
		"Unlink": func(s *authring.Session) error {
			_, err := s.Unlink(t.Context(), authring.LocalOnly())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			maestral := authring.WithApp("Maestral")
			s := w.link(t, "work", maestral)
			account := w.dropbox.User().AccountID
			bare := keyring.Key{Service: "Maestral", User: account}
			own := keyring.Key{Service: "Maestral", User: "config:work:" + account}
			if err := w.memory.Set(t.Context(), bare, w.memory.Items()[own], keyring.NoPrompt); err != nil {
				t.Fatal(err)
			}
			if err := s.Layout().Save("second", s.Record()); err != nil {
				t.Fatal(err)
			}
			if err := unlink(s); err != nil {
				t.Fatal(err)
			}
			wantHeld(t, w.memory, account)
			second := w.open(t, "second", maestral)
			wantUsable(t, second, "the other config")
			wantState(t, w.open(t, "work", maestral), authring.Unlinked)

			// Nobody else has it now.
			if err := unlink(second); err != nil {
				t.Fatal(err)
			}
			wantHeld(t, w.memory)
		})
	}
}
