package dropboxtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
)

// seal makes refresh tokens and reads them again. A token says, encrypted and
// authenticated, which grant it is of and which in its row: so a used token is
// known as one however old it is, and nothing is kept of it. It looks random,
// and without the key, which never leaves the value, nobody can make one.
//
//	"The grant to which a refresh token belongs may be encoded into the
//	refresh token itself." (RFC 9700 section 4.14.2)
type seal struct{ aead cipher.AEAD }

// sealedBytes is what a token holds before it is sealed: two numbers of eight
// bytes, and four bytes of nothing that give it the length of Dropbox's.
const sealedBytes = 20

func newSeal() seal {
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("dropboxtest: " + err.Error()) // only for a key of another length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("dropboxtest: " + err.Error()) // only for another cipher
	}
	return seal{aead}
}

// token returns a token. Each call returns another one.
func (s seal) token(number, generation uint64) string {
	plain := make([]byte, 0, sealedBytes)
	plain = binary.BigEndian.AppendUint64(plain, number)
	plain = binary.BigEndian.AppendUint64(plain, generation)
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plain[:sealedBytes], nil))
}

// open reads a token, and reports whether it is one of this emulator.
func (s seal) open(token string) (number, generation uint64, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, 0, false
	}
	plain, err := s.aead.Open(nil, nil, sealed, nil)
	if err != nil || len(plain) != sealedBytes {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(plain), binary.BigEndian.Uint64(plain[8:]), true
}
