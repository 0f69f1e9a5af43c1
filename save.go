package authring

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

// Saved says where credentials went.
type Saved struct {
	AccountID   string
	Email       string // as far as the provider told
	DisplayName string
	Keyring     keyring.ID
	KeyringName string
	// Plaintext is set when anyone who can read the file has the secret;
	// Reason is then why no better keyring took it, where that was not the
	// caller's own choice.
	Plaintext bool
	Reason    error
	// ScopeMissing are the scopes that were asked for and not granted.
	ScopeMissing []string
	// Passed are the better keyrings that could not be used.
	Passed []keyring.Probed
}

// SaveCreds stores verified credentials: it asks the provider whose account
// they are, writes the secret to the keyring, reads it back, and only then
// writes the record. While an account is linked, its keyring is used again,
// and another account is refused ([ErrAccountMismatch]) unless
// [WithSwitchAccount] allows it. The grant that is replaced is revoked.
//
// On an error the earlier link is as it was, and the credentials stay in
// memory: call SaveCreds again, or [Session.DiscardCreds]. The errors are
// [ErrNoCredentials], [ErrAccountMismatch], [ErrPlaintextRefused],
// [*KeyringAccessError], *record.FileError, [ErrInvalidToken] when the
// provider already refuses the new token, and those of the file system.
func (s *Session) SaveCreds(ctx context.Context) (Saved, error) {
	s.mu.Lock()
	verified := s.verified
	s.mu.Unlock()
	if verified == nil {
		return Saved{}, ErrNoCredentials
	}
	account, err := s.whoAmI(ctx, verified)
	if err != nil {
		return Saved{}, ended(ctx, err)
	}
	return s.saveAs(ctx, verified, account, "")
}

// saveAs stores the credentials of an account. Detail is for the history.
func (s *Session) saveAs(ctx context.Context, verified *credentials, account provider.Account, detail string) (Saved, error) {
	if err := s.AwaitKeyring(ctx); err != nil {
		return Saved{}, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return Saved{}, ended(ctx, err)
	}
	defer unlock()
	if err := s.recover(ctx, keyring.NoPrompt); err != nil {
		// The keyring that another link was being saved to cannot be read.
		// The one that is saved now takes that one's place.
		s.config.logger.Debug("could not complete an earlier link", "config", s.name, "error", err)
	}
	old, err := s.reload()
	if err != nil {
		return Saved{}, err
	}
	if account.ID == "" {
		account.ID = s.nameless(old)
	}
	if !old.Empty() && old.AccountID != account.ID && !s.config.switchAccount {
		return Saved{}, fmt.Errorf("%w: %q is linked to %s, and %s was approved", ErrAccountMismatch, s.name, describe(old.Email, old.AccountID), describe(account.Email, account.ID))
	}
	rec := record.Record{
		AccountID: account.ID, TokenAccessType: string(verified.kind), Provider: s.config.provider.Name,
		AppKey: verified.appKey, Scope: verified.scope, ScopeMissing: strings.Join(verified.missing, " "), Email: account.Email, DisplayName: account.DisplayName,
		// No two links have the same, whatever the clock of the file system.
		Linked: time.Now().UTC(),
	}
	saving := saving{s: s, old: old, rec: rec, value: verified.secret()}
	saved, err := saving.run(ctx)
	if err != nil {
		return Saved{}, ended(ctx, err)
	}
	saved.ScopeMissing = verified.missing
	s.noteUse(saving.rec, verified.lives, true)
	s.adopt(verified, saving.rec)
	what := record.EventLinked
	if !old.Empty() {
		what = record.EventRelinked
	}
	s.remember(record.Event{What: what, Keyring: saved.Keyring, Detail: detail}, verified)
	saving.tidy(ctx)
	saving.retire(ctx)
	return saved, nil
}

// namelessPrefix begins the account ids of links of which nobody says whose
// they are.
const namelessPrefix = "local-"

// nameless makes up an account id where the provider tells none: at random, as
// nothing that is known of the grant may be shown. A relink keeps the one that
// the link has, since another account could not be told from the same.
func (s *Session) nameless(old record.Record) string {
	if strings.HasPrefix(old.AccountID, namelessPrefix) && s.checkProvider(old) == nil {
		return old.AccountID
	}
	return namelessPrefix + strings.ToLower(rand.Text()[:16])
}

// adopt makes saved credentials the session's own.
func (s *Session) adopt(verified *credentials, rec record.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
	adopted := *verified
	adopted.accountID, adopted.idToken = rec.AccountID, secret.Secret{}
	s.loaded, s.verified, s.record = &adopted, nil, rec
	life := time.Duration(0)
	if verified.kind == Offline {
		// The boot clock's, so that a wall clock that was set in between
		// makes no difference.
		if life = verified.ends - s.clock.Now(); life <= 0 {
			return
		}
	}
	access, key, err := s.unbound(verified)
	if err != nil {
		return // it was bound here a moment ago
	}
	token := &provider.Token{AccessToken: access, TokenType: Bearer, ExpiresIn: life, Scope: verified.scope}
	if key != nil {
		token.TokenType = DPoP
	}
	s.publish(&adopted, token, s.clock.Now())
}

func describe(email, accountID string) string {
	if email == "" {
		return accountID
	}
	return email
}
