package authring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring/internal/killpoint"
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
	if !old.Empty() && old.AccountID != account.ID && !s.config.switchAccount {
		return Saved{}, fmt.Errorf("%w: %q is linked to %s, and %s was approved", ErrAccountMismatch, s.name, describe(old.Email, old.AccountID), describe(account.Email, account.ID))
	}
	rec := record.Record{
		AccountID: account.ID, TokenAccessType: string(verified.kind), Provider: s.config.provider.Name,
		AppKey: verified.appKey, Scope: verified.scope, Email: account.Email, DisplayName: account.DisplayName,
		Linked: time.Now().UTC().Truncate(time.Second),
	}
	saving := saving{s: s, old: old, rec: rec, value: verified.secret()}
	saved, err := saving.run(ctx)
	if err != nil {
		return Saved{}, ended(ctx, err)
	}
	s.adopt(verified, saving.rec)
	what := record.EventLinked
	if !old.Empty() {
		what = record.EventRelinked
	}
	s.remember(record.Event{What: what, Keyring: saved.Keyring}, verified)
	saving.tidy(ctx)
	saving.retire(ctx)
	return saved, nil
}

// whoAmI asks the provider whose credentials these are. Where it cannot be
// asked, the account that it named with the token stands: a grant must not be
// lost because of a question that was answered before.
func (s *Session) whoAmI(ctx context.Context, verified *credentials) (provider.Account, error) {
	client, err := s.client(verified.appKey)
	if err != nil {
		return provider.Account{}, err
	}
	defer s.waitingForProvider()()
	account, err := client.Account(ctx, verified.access)
	named := verified.accountID
	switch {
	case err == nil && named != "" && account.ID != named:
		return account, fmt.Errorf("%w: the token was given for %s and belongs to %s", ErrInvalidToken, named, account.ID)
	case err == nil:
		return account, nil
	case ctx.Err() != nil:
		return account, err
	case named != "" && (errors.Is(err, ErrConnectionFailed) || errors.Is(err, provider.ErrMissingScope)):
		s.config.logger.Debug("could not ask for the account", "config", s.name, "error", err)
		return provider.Account{ID: named}, nil
	default:
		return account, fmt.Errorf("could not learn whose account it is: %w", err)
	}
}

// adopt makes saved credentials the session's own.
func (s *Session) adopt(verified *credentials, rec record.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
	adopted := *verified
	adopted.accountID = rec.AccountID
	s.loaded, s.verified, s.record = &adopted, nil, rec
	life := time.Duration(0)
	if verified.kind == Offline {
		// The boot clock's, so that a wall clock that was set in between
		// makes no difference.
		if life = verified.ends - s.clock.Now(); life <= 0 {
			return
		}
	}
	s.publish(&adopted, &provider.Token{AccessToken: verified.access, ExpiresIn: life, Scope: verified.scope}, s.clock.Now())
}

// saving is one write of a grant: the secret, read back, then the record.
type saving struct {
	s     *Session
	old   record.Record // what was linked before; empty if nothing
	rec   record.Record // what is to be linked
	value secret.Secret

	previous secret.Secret   // what the old link's item held, where it could be read
	from     keyring.Keyring // the old link's keyring
	queued   string          // the note by which the old grant is to be revoked
}

func (w *saving) run(ctx context.Context) (Saved, error) {
	choice, err := w.choose(ctx)
	if err != nil {
		return Saved{}, err
	}
	w.lookBack(ctx)
	chosen := ""
	if w.s.config.keyringID == keyring.Plaintext || w.old.Keyring == keyring.Plaintext {
		chosen = "plain text was chosen"
	}
	var reason error
	if choice.Keyring.ID() == keyring.Plaintext && chosen == "" {
		reason = errNoKeyring(choice.Passed)
		if err := w.consent(ctx, reason, choice.Passed); err != nil {
			return Saved{}, err
		}
	}
	err = w.write(ctx, choice.Keyring)
	if fallback := w.fallback(ctx, choice, err); fallback != nil {
		reason = err
		if err := w.consent(ctx, reason, choice.Passed); err != nil {
			return Saved{}, err
		}
		choice.Passed = append(choice.Passed, choice.Probed)
		choice.Probed = keyring.Probed{Keyring: fallback, Status: keyring.Probe(ctx, fallback)}
		err = w.write(ctx, fallback)
	}
	if err != nil {
		return Saved{}, err
	}
	saved := Saved{
		AccountID: w.rec.AccountID, Email: w.rec.Email, DisplayName: w.rec.DisplayName,
		Keyring: w.rec.Keyring, KeyringName: choice.Status.Name, Passed: choice.Passed,
		Plaintext: w.rec.Keyring == keyring.Plaintext, Reason: reason,
	}
	if saved.Plaintext {
		w.s.emit(Event{Kind: EventPlaintext, Keyring: keyring.Plaintext, Text: "the secret is stored as plain text", Err: reason})
	}
	return saved, nil
}

// choose picks the keyring. A link that exists stays in its own unless the
// caller names another.
func (w *saving) choose(ctx context.Context) (keyring.Choice, error) {
	s := w.s
	if s.config.keyringID == "" && !w.old.Empty() && w.old.Keyring != "" {
		k, err := s.byID(w.old.Keyring)
		if err != nil {
			return keyring.Choice{}, s.accessError("save the token", err)
		}
		return keyring.Choice{Probed: keyring.Probed{Keyring: k, Status: keyring.Probe(ctx, k)}}, nil
	}
	choice, err := s.ChooseKeyring(ctx)
	if err != nil {
		return choice, s.accessError("save the token", err)
	}
	return choice, nil
}

// lookBack reads what the link held before, to put it back if the record
// cannot be written, and to revoke it when it was replaced.
func (w *saving) lookBack(ctx context.Context) {
	if w.old.Empty() {
		return
	}
	k, err := w.s.keyringOf(ctx, w.old, "load the token")
	if err != nil {
		return
	}
	w.from = k
	if value, err := w.s.get(ctx, k, w.old, keyring.NoPrompt); err == nil {
		w.previous = value
	}
}

// write stores secret and record, or neither.
func (w *saving) write(ctx context.Context, k keyring.Keyring) error {
	s := w.s
	key := s.key(w.rec.AccountID)
	replaces := w.from != nil && w.from.ID() == k.ID() && w.old.AccountID == w.rec.AccountID
	if replaces && w.previous.IsZero() {
		// It could not be read without a prompt; writing would prompt too.
		switch value, err := s.get(ctx, k, w.old, s.config.prompt); {
		case errors.Is(err, ErrSecretMissing):
			replaces = false
		case err != nil:
			return err
		default:
			w.previous = value
		}
	}
	w.rec.Keyring = k.ID()
	fingerprints, err := s.fingerprinter()
	if err != nil {
		return err
	}
	w.queueOld(ctx)
	// From here on a process that dies leaves a link that is completed, or
	// the one before: see recover.
	intent := record.Intent{Record: w.rec, Fingerprint: fingerprints.Of(w.value)}
	if w.moves() {
		intent.OldAccountID, intent.OldKeyring = w.old.AccountID, w.from.ID()
	}
	if err := s.layout.SaveIntent(s.name, intent); err != nil {
		w.unqueue(ctx)
		return err
	}
	killpoint.Here("link: noted")
	if err := s.put(ctx, k, key, w.value, s.config.prompt); err != nil {
		w.undo(k, key, replaces)
		return s.accessError("save the token", err)
	}
	killpoint.Here("link: secret written")
	if err := s.layout.Save(s.name, w.rec); err != nil {
		w.undo(k, key, replaces)
		return err
	}
	killpoint.Here("link: record written")
	return nil
}

// undo puts the keyring back to what it held. It must run though the caller's
// context has ended.
func (w *saving) undo(k keyring.Keyring, key keyring.Key, replaces bool) {
	ctx, cancel := context.WithTimeout(context.Background(), keyringBound)
	defer cancel()
	var err error
	if replaces {
		err = w.s.put(ctx, k, key, w.previous, keyring.NoPrompt)
	} else {
		err = w.s.remove(ctx, k, key, keyring.NoPrompt)
	}
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		w.s.emit(Event{Kind: EventLeftover, Keyring: k.ID(), Text: "the new secret could not be taken back", Err: err})
	}
	w.unqueue(ctx)
	if err := w.s.layout.DropIntent(w.s.name); err != nil {
		w.s.config.logger.Debug("could not remove the note of a link", "config", w.s.name, "error", err)
	}
}

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

// fallback returns plain text where the seed would use it: no keyring can be
// used, or the user denied access. A keyring that is merely locked, a named
// one, and one that a link already uses, are never replaced so.
func (w *saving) fallback(ctx context.Context, choice keyring.Choice, err error) keyring.Keyring {
	var access *KeyringAccessError
	if !errors.As(err, &access) || ctx.Err() != nil || choice.Keyring.ID() == keyring.Plaintext {
		return nil
	}
	if w.s.config.keyringID != "" || (!w.old.Empty() && w.old.Keyring != "") {
		return nil
	}
	if !errors.Is(err, keyring.ErrDismissed) && !errors.Is(err, keyring.ErrUnavailable) {
		return nil
	}
	k, missing := w.s.byID(keyring.Plaintext)
	if missing != nil {
		return nil
	}
	return k
}

func (w *saving) consent(ctx context.Context, reason error, passed []keyring.Probed) error {
	if w.s.config.consent == nil {
		return nil
	}
	ok, err := w.s.config.consent(ctx, PlaintextRequest{Reason: reason, Passed: passed})
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: %w", ErrPlaintextRefused, reason)
	}
	return nil
}

// moves reports whether the new link's item has another name or place than the
// old one's, which then is to be deleted.
func (w *saving) moves() bool {
	return w.from != nil && (w.from.ID() != w.rec.Keyring || w.old.AccountID != w.rec.AccountID)
}

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
	if !w.sameProvider() || w.old.Revoked != nil || w.previous.Equal(w.value) {
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

func errNoKeyring(passed []keyring.Probed) error {
	err := error(&keyring.Error{Op: "use", Name: "any keyring", Kind: keyring.ErrAbsent})
	for _, p := range passed {
		err = fmt.Errorf("%w; %s: %s", err, p.Keyring.ID(), p.Status.Detail)
	}
	return err
}

func describe(email, accountID string) string {
	if email == "" {
		return accountID
	}
	return email
}
