package dropboxtest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
)

// Lengths of what Dropbox hands out, in characters.
const (
	codeLength    = 43
	refreshLength = 64
	accessLength  = 180 // after "sl."
)

// randomText returns n random characters of the base64url alphabet
// (RFC 4648 section 5).
func randomText(n int) string {
	b := make([]byte, base64.RawURLEncoding.DecodedLen(n)+1)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)[:n]
}

// randomHex returns n random bytes as hexadecimal digits.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// randomDigits returns n random decimal digits, the first of them not zero.
func randomDigits(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	if b[0] == '0' {
		b[0] = '1'
	}
	return string(b)
}

// dots returns zero to three dots, which Dropbox puts at the end of
// error_summary so that nobody compares it.
func dots() string {
	var b [1]byte
	rand.Read(b[:])
	return "..."[:b[0]%4]
}

func isBase64URL(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// isUnreserved reports whether s consists of the characters that a code
// verifier may have (RFC 7636 section 4.1).
func isUnreserved(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && c != '-' && c != '_' && c != '.' && c != '~' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
