package authring_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
)

// What another process is doing to the link right now tells nobody yet whether
// its grant will be in use.
func TestRetryLeavesALinkThatIsBeingChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t)
		s := w.link(t, "default")
		w.offline.Store(true)
		if result, err := s.Unlink(t.Context()); err != nil || !result.Queued {
			t.Fatalf("Unlink() = %+v, %v", result, err)
		}
		w.offline.Store(false)
		lock, err := filelock.Acquire(t.Context(), s.Layout().LockPath("default"))
		if err != nil {
			t.Fatal(err)
		}
		other := w.open(t, "other")
		if retried, err := other.RetryRevocations(t.Context()); err != nil || len(retried) != 0 || w.live() != 1 || len(w.memory.Items()) != 1 {
			t.Errorf("while the link is locked: %+v, %v; %d grants, %d items", retried, err, w.live(), len(w.memory.Items()))
		}
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
		if retried, err := other.RetryRevocations(t.Context()); err != nil || len(retried) != 1 || !retried[0].Done || w.live() != 0 {
			t.Errorf("afterwards: %+v, %v; %d grants", retried, err, w.live())
		}
	})
}

// To revoke a grant its refresh token may have to be redeemed, and is replaced:
// the new one is what a later try needs.
func TestRevocationKeepsARotatedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t, dropboxtest.WithRotation())
		s := w.link(t, "default", withReplay(provider.ReplaySingleUse, 0))
		w.dropbox.SetFault("auth/token/revoke:rate-limit=1h")
		if result, err := s.Unlink(t.Context()); err != nil || !result.Queued {
			t.Fatalf("Unlink() = %+v, %v", result, err)
		}
		for range 2 {
			if retried, err := s.RetryRevocations(t.Context()); err != nil || len(retried) != 1 || retried[0].Err == nil {
				t.Errorf("while the server refuses: %+v, %v", retried, err)
			}
		}
		w.dropbox.ClearFaults()
		if retried, err := s.RetryRevocations(t.Context()); err != nil || len(retried) != 1 || !retried[0].Done {
			t.Errorf("RetryRevocations() = %+v, %v", retried, err)
		}
		if w.live() != 0 || len(w.memory.Items()) != 0 {
			t.Errorf("%d grants, %d items are left", w.live(), len(w.memory.Items()))
		}
	})
}

// An unlink that was cut short leaves the link and the revocation of its
// grant; a rotation must not make the two look like different grants.
func TestRetryDoesNotEndALinkThatWasRotated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := bubble(t, dropboxtest.WithReuseDetection())
		s := w.link(t, "default", withReplay(provider.ReplaySingleUse, 0))
		killed := errors.New("killed")
		w.memory.Before(func(op string, key keyring.Key) error {
			if op == "delete" {
				return killed
			}
			return nil
		})
		w.offline.Store(true)
		_, err := s.Unlink(t.Context())
		wantErr(t, err, killed)
		w.memory.Before(nil)
		w.offline.Store(false)
		again := w.open(t, "default", withReplay(provider.ReplaySingleUse, 0))
		for range 2 {
			if _, err := again.Token(t.Context(), authring.Fresh()); err != nil {
				t.Fatal(err)
			}
			if retried, err := again.RetryRevocations(t.Context()); err != nil || len(retried) != 0 {
				t.Errorf("RetryRevocations() = %+v, %v", retried, err)
			}
		}
		if w.live() != 1 || len(w.memory.Items()) != 1 {
			t.Errorf("%d grants, %d items", w.live(), len(w.memory.Items()))
		}
	})
}
