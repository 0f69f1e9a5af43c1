package authring

import (
	"context"
	"errors"
	"fmt"

	"github.com/authring/authring/internal/killpoint"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// UnlinkResult says what [Session.Unlink] did.
type UnlinkResult struct {
	AccountID   string
	Keyring     keyring.ID
	KeyringName string
	// Revoked: the grant is not valid at the provider any more.
	Revoked bool
	// Queued: the provider could not be reached; the grant is kept in the
	// keyring, no longer as a link, until [Session.RetryRevocations]
	// succeeds.
	Queued bool
	// RevokeErr is why the grant was not revoked; nil with [LocalOnly].
	RevokeErr error
	// Leftover is why an item stays in the keyring, where one does.
	Leftover error
}

// UnlinkOption changes what [Session.Unlink] does.
type UnlinkOption func(*unlinkOptions)

type unlinkOptions struct{ localOnly bool }

// LocalOnly forgets the link on this machine and leaves the grant as it is at
// the provider. It works with a keyring that is locked, broken or gone: what
// cannot be deleted there is told in [UnlinkResult.Leftover].
func LocalOnly() UnlinkOption { return func(o *unlinkOptions) { o.localOnly = true } }

// Unlink ends the link: it revokes the grant at the provider, deletes the
// secret, and clears the record. Where the provider cannot be reached the rest
// is done all the same, and the revocation is left for later.
//
// A keyring that is locked or unavailable is a [*KeyringAccessError], and
// nothing is changed: unlock it, or use [LocalOnly]. Without a link the error
// is [ErrNotLinked].
func (s *Session) Unlink(ctx context.Context, opts ...UnlinkOption) (UnlinkResult, error) {
	var o unlinkOptions
	for _, opt := range opts {
		opt(&o)
	}
	if !o.localOnly {
		if err := s.await(ctx, s.tryOwn); err != nil {
			return UnlinkResult{}, err
		}
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return UnlinkResult{}, ended(ctx, err)
	}
	defer unlock()
	if err := s.recover(ctx, s.config.prompt); err != nil && !o.localOnly {
		return UnlinkResult{}, ended(ctx, err)
	}
	rec, err := s.reload()
	if err != nil {
		return UnlinkResult{}, err
	}
	if rec.Empty() {
		return UnlinkResult{}, ErrNotLinked
	}
	result := UnlinkResult{AccountID: rec.AccountID, Keyring: rec.Keyring}
	k, err := s.keyringOf(ctx, rec, "delete the token")
	if err == nil {
		result.Keyring, result.KeyringName = k.ID(), s.probeName(ctx, k)
		if !o.localOnly {
			err = s.endGrant(ctx, k, rec, &result)
		}
	}
	if err == nil {
		err = s.deleteItems(ctx, k, rec)
	}
	if err != nil {
		if !o.localOnly || ctx.Err() != nil {
			return result, ended(ctx, err)
		}
		result.Leftover = err
	}
	return result, s.clear()
}

// DeleteCreds deletes the secret and clears the record, and does not speak to
// the provider. Without a link it does nothing; without the secret it goes on.
// When the keyring is locked or unavailable nothing is changed, and the error
// is a [*KeyringAccessError].
func (s *Session) DeleteCreds(ctx context.Context) error {
	if err := s.await(ctx, s.tryOwn); err != nil {
		return err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	defer unlock()
	if err := s.recover(ctx, s.config.prompt); err != nil {
		return ended(ctx, err)
	}
	rec, err := s.reload()
	if err != nil || rec.Empty() {
		return err
	}
	k, err := s.keyringOf(ctx, rec, "delete the token")
	if err != nil {
		return err
	}
	if err := s.deleteItems(ctx, k, rec); err != nil {
		return ended(ctx, err)
	}
	return s.clear()
}

// endGrant revokes the grant of a link, or writes down that it must be. Only a
// keyring that cannot be read, and an ended context, stop an unlink here.
func (s *Session) endGrant(ctx context.Context, k keyring.Keyring, rec record.Record, result *UnlinkResult) error {
	if err := s.checkProvider(rec); err != nil {
		return err
	}
	if err := s.unlockClientSecret(ctx); err != nil && !errors.Is(err, ErrNoClientSecret) {
		return err
	}
	value, err := s.get(ctx, k, rec, s.config.prompt)
	if errors.Is(err, ErrSecretMissing) {
		result.RevokeErr = err
		return nil
	}
	if err != nil {
		return err
	}
	err = s.revokeGrant(ctx, rec.AppKey, TokenAccessType(rec.TokenAccessType), value, func(renewed secret.Secret) error {
		value = renewed
		return s.put(ctx, k, s.key(rec.AccountID), renewed, s.config.prompt)
	})
	killpoint.Here("unlink: revoked")
	if err == nil {
		result.Revoked = true
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	result.RevokeErr = err
	if !errors.Is(err, ErrConnectionFailed) {
		return nil
	}
	if _, err := s.queueRevocation(ctx, k, rec, value); err != nil {
		result.RevokeErr = errors.Join(result.RevokeErr, err)
		return nil
	}
	result.Queued = true
	s.emit(Event{Kind: EventRevocationQueued, Keyring: k.ID(), Text: "the grant will be revoked later", Err: err})
	return nil
}

// revokeGrant ends a grant at the provider. One that is not valid any more is
// a success. If the provider replaces the refresh token on the way, the new one
// is handed to save, so that a later try has it should this one fail.
func (s *Session) revokeGrant(ctx context.Context, appKey string, kind TokenAccessType, value secret.Secret, save func(secret.Secret) error) error {
	how := s.config.provider.Revocation()
	if how == provider.RevokeNever {
		return fmt.Errorf("could not revoke the grant: %s has no way for a program to do it: %w", s.config.provider.Title, errors.ErrUnsupported)
	}
	client, err := s.client(appKey)
	if err != nil {
		return err
	}
	held, key, err := s.unbind(value)
	if err != nil {
		return err
	}
	client = proves(client, key)
	defer s.waitingForProvider()()
	access, byRefresh := held, kind != Legacy && how == provider.RevokeByRefresh
	if kind != Legacy && !byRefresh {
		// The provider revokes the grant by one of its access tokens.
		token, err := client.Refresh(ctx, held, nil)
		if errors.Is(err, provider.ErrRevoked) {
			return nil
		}
		if err != nil {
			return err
		}
		access = token.AccessToken
		killpoint.Here("revoke: answered")
		if renewed := token.RefreshToken; !renewed.IsZero() && !renewed.Equal(held) {
			if err := save(bind(renewed, key)); err != nil {
				s.config.logger.Debug("could not save the new refresh token of a grant that is being revoked", "config", s.name, "error", err)
			}
			killpoint.Here("revoke: saved")
		}
	}
	return revoke(ctx, client, access, byRefresh)
}

// revoke withdraws a grant by its refresh token, or by an access token.
func revoke(ctx context.Context, client *provider.Client, token secret.Secret, byRefresh bool) error {
	if byRefresh {
		return client.RevokeToken(ctx, token, provider.RefreshTokenHint)
	}
	return client.Revoke(ctx, token)
}

// deleteItems removes the secret of a link, under the name that it has now and,
// unless another link may live on it, under those that older versions of
// Maestral gave it.
func (s *Session) deleteItems(ctx context.Context, k keyring.Keyring, rec record.Record) error {
	for _, key := range s.ownKeys(k.ID(), rec.AccountID) {
		if err := s.remove(ctx, k, key, s.config.prompt); err != nil && !errors.Is(err, keyring.ErrNotFound) {
			return s.accessError("delete the token", err)
		}
		killpoint.Here("unlink: item deleted")
	}
	return nil
}

// clear empties the record, and forgets what is in memory.
func (s *Session) clear() error {
	if err := s.layout.Clear(s.name); err != nil {
		return err
	}
	killpoint.Here("unlink: record cleared")
	if err := errors.Join(s.layout.DropAttempt(s.name), s.layout.DropIntent(s.name), s.layout.DropRefreshLife(s.name)); err != nil {
		s.config.logger.Debug("could not remove the notes of a link", "config", s.name, "error", err)
	}
	s.remember(record.Event{What: record.EventUnlinked}, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
	s.verified = nil
	s.record = record.Record{}
	return nil
}
