package provider

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	"github.com/authring/authring/secret"
)

// NewVerifier makes a code verifier.
//
// RFC 7636 section 4.1: "It is RECOMMENDED that the output of a suitable random
// number generator be used to create a 32-octet sequence. The octet sequence is
// then base64url-encoded to produce a 43-octet URL safe string to use as the
// code verifier."
func NewVerifier() secret.Secret {
	var octets [32]byte
	rand.Read(octets[:]) // never fails: it ends the program instead
	return secret.New(base64.RawURLEncoding.EncodeToString(octets[:]))
}

// Challenge derives the code challenge of a verifier, by method S256.
//
// RFC 7636 section 4.2: code_challenge = BASE64URL-ENCODE(SHA256(ASCII(code_verifier))),
// without padding (section 3).
func Challenge(verifier secret.Secret) string {
	sum := sha256.Sum256([]byte(verifier.Reveal()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
