package sealed

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"
)

const (
	// rawKeyType is the type of the stanza that a key file makes.
	rawKeyType = "authring-key"
	// rawKeyInfo binds keys derived from a key file to this use.
	rawKeyInfo = "authring sealed file, key file, version 1"
	// rawKeyLeast is the least that counts as a key, in bytes.
	rawKeyLeast = 32
	saltSize    = 16
	fileKeySize = 16 // of age
)

// rawKey wraps age's file key with a key of random bytes. Unlike a passphrase
// it needs no slow function: it cannot be guessed.
type rawKey []byte

// wrapping derives the key for one stanza.
func (k rawKey) wrapping(salt []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, k, salt, rawKeyInfo, chacha20poly1305.KeySize)
}

// Wrap implements [age.Recipient]. The salt is new for each file, and so is
// the key that is derived with it, which allows a fixed nonce.
func (k rawKey) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	wrapping, err := k.wrapping(salt)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.New(wrapping)
	if err != nil {
		return nil, err
	}
	return []*age.Stanza{{
		Type: rawKeyType,
		Args: []string{base64.RawStdEncoding.EncodeToString(salt)},
		Body: aead.Seal(nil, make([]byte, chacha20poly1305.NonceSize), fileKey, nil),
	}}, nil
}

// Unwrap implements [age.Identity].
func (k rawKey) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, s := range stanzas {
		if s.Type != rawKeyType {
			continue
		}
		if len(s.Args) != 1 || len(s.Body) != fileKeySize+chacha20poly1305.Overhead {
			return nil, errors.New("its stanza for a key file is malformed")
		}
		salt, err := base64.RawStdEncoding.Strict().DecodeString(s.Args[0])
		if err != nil || len(salt) != saltSize {
			return nil, errors.New("its stanza for a key file is malformed")
		}
		wrapping, err := k.wrapping(salt)
		if err != nil {
			return nil, err
		}
		aead, err := chacha20poly1305.New(wrapping)
		if err != nil {
			return nil, err
		}
		if fileKey, err := aead.Open(nil, make([]byte, chacha20poly1305.NonceSize), s.Body, nil); err == nil {
			return fileKey, nil
		}
	}
	return nil, age.ErrIncorrectIdentity
}
