package sealed

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"

	"filippo.io/age"
)

// ErrWrongKey: the key is a key, and not the one of this file, which is intact.
var ErrWrongKey = errors.New("it does not open the file")

// passphraseType is age's name for what a passphrase wraps.
const passphraseType = "scrypt"

// newLock makes a key for a new body, and the lock that gives it to whoever
// can decrypt for one of the recipients.
func newLock(recipients []age.Recipient) (lock, key []byte, err error) {
	key = make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipients...)
	if err != nil {
		return nil, nil, err
	}
	if _, err := w.Write(key); err != nil {
		return nil, nil, err
	}
	if err := w.Close(); err != nil {
		return nil, nil, err
	}
	return out.Bytes(), key, nil
}

// openLock returns the key of the body. The errors are [ErrWrongKey],
// [ErrDamaged], and those of a plugin.
func openLock(lock []byte, m *material) ([]byte, error) {
	plugins := []*pluginIdentity{}
	identities := slices.Clone(m.identities)
	for i, identity := range identities {
		if m.plugin {
			p := &pluginIdentity{Identity: identity}
			identities[i], plugins = p, append(plugins, p)
		}
	}
	r, err := age.Decrypt(bytes.NewReader(lock), identities...)
	if err != nil {
		for _, p := range plugins {
			if p.failed != nil {
				return nil, p.failed
			}
		}
		if noMatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &noMatch) {
			return nil, ErrWrongKey
		}
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	key, err := io.ReadAll(io.LimitReader(r, keySize+1))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("%w: its lock holds no key", ErrDamaged)
	}
	return key, nil
}

// pluginIdentity keeps a plugin's own error, which says nothing of the file.
type pluginIdentity struct {
	age.Identity
	failed error
}

// Unwrap implements [age.Identity].
func (p *pluginIdentity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	fileKey, err := p.Identity.Unwrap(stanzas)
	if err != nil && !errors.Is(err, age.ErrIncorrectIdentity) {
		p.failed = err
	}
	return fileKey, err
}

// lockedByPassphrase tells which sort of key a lock wants, without one.
func lockedByPassphrase(lock []byte) (bool, error) {
	_, err := age.Decrypt(bytes.NewReader(lock), nobody{})
	if noMatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &noMatch) {
		return slices.Contains(noMatch.StanzaTypes, passphraseType), nil
	}
	return false, fmt.Errorf("%w: %w", ErrDamaged, err)
}

// nobody is an identity for which nothing was ever encrypted.
type nobody struct{}

// Unwrap implements [age.Identity].
func (nobody) Unwrap([]*age.Stanza) ([]byte, error) { return nil, age.ErrIncorrectIdentity }
