package authring

import (
	"context"
	"errors"
	"fmt"

	"github.com/authring/authring/internal/killpoint"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// queueOld leaves the revocation of the grant that is being replaced for
// later, before its refresh token is overwritten: so it is revoked even if
// this process dies, or the provider cannot be reached.
func (w *saving) queueOld(ctx context.Context) {
	s := w.s
	if w.from == nil || w.previous.IsZero() || w.previous.Equal(w.value) || w.old.Revoked != nil || !w.sameProvider() || w.queued != "" {
		return
	}
	id, err := s.queueRevocation(ctx, w.from, w.old, w.previous)
	if err != nil {
		s.config.logger.Debug("could not leave the earlier grant for revocation", "config", s.name, "error", err)
		return
	}
	w.queued = id
}

// unqueue forgets what queueOld left: the old link stands.
func (w *saving) unqueue(ctx context.Context) {
	if w.queued == "" {
		return
	}
	key := keyring.Key{Service: w.s.layout.Service(), User: revocationUser(w.queued)}
	if err := w.s.remove(ctx, w.from, key, keyring.NoPrompt); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return // a retry sees that the grant is in use, and forgets it
	}
	_ = w.s.layout.RemoveRevocation(w.queued)
	w.queued = ""
}

func (w *saving) sameProvider() bool { return w.s.checkProvider(w.old) == nil }

// tidy removes the item that the new link's has replaced, and then the note
// that the link is being saved. The new link is saved; what fails here is told
// and does not undo it.
func (w *saving) tidy(ctx context.Context) {
	s := w.s
	if w.moves() {
		s.removeOld(ctx, w.from.ID(), w.old.AccountID)
		killpoint.Here("link: old item deleted")
	}
	if err := s.layout.DropIntent(s.name); err != nil {
		// What it names is done: it is found so, and removed, next time.
		s.config.logger.Debug("could not remove the note of a link", "config", s.name, "error", err)
	}
	killpoint.Here("link: done")
}

// retire ends the grant that the new link's has replaced, and that nobody has
// any more. What fails here is told as well.
func (w *saving) retire(ctx context.Context) {
	s := w.s
	if w.from == nil {
		return
	}
	if w.old.Revoked != nil || w.previous.Equal(w.value) {
		return
	}
	if !w.sameProvider() {
		s.emit(Event{Kind: EventGrantAlive, Text: fmt.Sprintf("the earlier grant is with another provider (%s), and stays valid there", w.old.Provider)})
		return
	}
	if w.previous.IsZero() {
		s.emit(Event{Kind: EventGrantAlive, Text: "the earlier grant could not be read, and stays valid" + s.manageHint()})
		return
	}
	err := s.revokeGrant(ctx, w.old.AppKey, TokenAccessType(w.old.TokenAccessType), w.previous, func(renewed secret.Secret) error {
		if w.queued == "" {
			return nil
		}
		return s.put(ctx, w.from, keyring.Key{Service: s.layout.Service(), User: revocationUser(w.queued)}, renewed, keyring.NoPrompt)
	})
	killpoint.Here("link: old grant revoked")
	switch {
	case err == nil:
		w.unqueue(ctx)
	case w.queued != "" && errors.Is(err, ErrConnectionFailed):
		s.emit(Event{Kind: EventRevocationQueued, Keyring: w.from.ID(), Text: "the earlier grant will be revoked later", Err: err})
	default:
		s.emit(Event{Kind: EventGrantAlive, Text: "the earlier grant could not be revoked, and stays valid" + s.manageHint(), Err: err})
	}
}
