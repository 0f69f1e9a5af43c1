package authring

import (
	"context"
	"errors"
	"fmt"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

// Migrated says where the secret of a link was, and where it is.
type Migrated struct {
	AccountID        string
	From, To         keyring.ID
	FromName, ToName string
	// Already: it was there, and nothing was done.
	Already bool
	// Plaintext: anyone who can read the file has the secret.
	Plaintext bool
	// Leftover is why the earlier item stays in the keyring From, where it
	// does. The link does not use it any more.
	Leftover error
}

// Migrate moves the secret of the link to the keyring to: it is written there
// and read back, the record is switched, and the earlier item is deleted. A
// process that dies in between leaves a link that can be used, and the next
// call that changes the link, such as Migrate again, ends what was begun. A
// link that is there already is left alone.
//
// With [WithKeyringWait] both keyrings are waited for, one after the other.
//
// Plain text needs the consent of [WithPlaintextConsent], if there is such a
// function. Grants that wait to be revoked stay in the keyring where they are.
//
// A keyring of the link that is locked, unavailable or without the secret is a
// [*KeyringAccessError]; one to move to that cannot be used is a
// *keyring.Error, or, where the layout cannot name it, another error. After
// these the link is as it was. The other errors are [ErrNotLinked],
// [ErrPlaintextRefused], *record.FileError, and those of the file system.
func (s *Session) Migrate(ctx context.Context, to keyring.ID) (Migrated, error) {
	if err := s.await(ctx, s.tryOwn); err != nil {
		return Migrated{}, err
	}
	if err := s.await(ctx, func(ctx context.Context) error { return s.tryOther(ctx, to) }); err != nil {
		return Migrated{}, err
	}
	m := migration{s: s, to: to}
	err := m.prepare(ctx)
	if err == nil && !m.result.Already {
		err = m.run(ctx)
	}
	if err != nil {
		return Migrated{}, ended(ctx, err)
	}
	return m.result, nil
}

// migration is one move of a secret.
type migration struct {
	s      *Session
	to     keyring.ID
	target keyring.Keyring
	result Migrated
}

// prepare does what needs a person, before others have to wait for the lock:
// it asks for consent, and has both keyrings opened.
func (m *migration) prepare(ctx context.Context) error {
	s := m.s
	rec, err := s.reload()
	if err != nil {
		return err
	}
	intent, cut, err := s.layout.LoadIntent(s.name)
	if err != nil || !cut {
		intent = record.Intent{}
	}
	if rec.Empty() && !cut {
		return ErrNotLinked
	}
	if err := s.layout.CheckKeyring(m.to); err != nil {
		return fmt.Errorf("could not move the secret of %q: %w", s.name, err)
	}
	if rec.Keyring == m.to && !cut {
		m.result = Migrated{AccountID: rec.AccountID, From: m.to, To: m.to, Already: true, Plaintext: m.to == keyring.Plaintext}
		if k, err := s.byID(m.to); err == nil {
			m.result.ToName = s.probeName(ctx, k)
			m.result.FromName = m.result.ToName
		}
		return nil
	}
	choice, err := s.chooseNamed(ctx, m.to)
	if err != nil {
		return m.refused(err)
	}
	m.target = choice.Keyring
	m.result.ToName = choice.Status.Name
	if m.to == keyring.Plaintext {
		if err := s.askConsent(ctx, errors.New("the secret would move there"), nil); err != nil {
			return err
		}
	}
	for _, r := range []record.Record{intent.Record, rec} {
		if r.Empty() {
			continue
		}
		err = m.open(ctx, r)
	}
	return err
}

// open has the keyring of rec, and the one to move to, ask what they have to.
func (m *migration) open(ctx context.Context, rec record.Record) error {
	s := m.s
	k, err := s.keyringOf(ctx, rec, "load the token")
	if err != nil {
		return err
	}
	if _, err := s.get(ctx, k, rec, s.config.prompt); err != nil {
		return err
	}
	if _, err := s.getKey(ctx, m.target, s.key(rec.AccountID), s.config.prompt); err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return m.refused(err)
	}
	if k, ok := m.target.(keyring.Unlocker); ok {
		if err := k.Unlock(ctx, s.config.prompt); err != nil {
			return m.refused(err)
		}
	}
	return nil
}

// refused says that the keyring to move to failed. It is not the link's own, of
// which a KeyringAccessError would tell.
func (m *migration) refused(err error) error {
	return fmt.Errorf("could not move the secret of %q to %s: %w", m.s.name, m.to, err)
}
