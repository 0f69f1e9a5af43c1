// Package secret holds values that must not be shown: tokens, authorization
// codes, code verifiers, passphrases.
//
// A [Secret] prints as *** wherever a value is turned into text by accident:
// every verb of package fmt, log/slog, encoding/json and encoding.TextMarshaler
// users. Only [Secret.Reveal] gives the value, so that a search for that one
// name finds every place where a secret leaves its wrapping.
//
// What it does not promise: the value stays in ordinary garbage-collected
// memory and is not zeroed.
package secret

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// Mask is what every secret prints as.
const Mask = "***"

// Secret is a string that does not show itself. The zero value is empty.
// It is immutable and safe for concurrent use. Compare with [Secret.Equal];
// the == operator compares identities.
type Secret struct {
	// A pointer, so that package fmt, which reads unexported fields of an
	// outer struct without calling their methods, prints an address.
	value *string
}

// New wraps a value.
func New(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the value itself.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.value == nil }

// Equal compares two secrets in time that depends on their lengths only.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns [Mask].
func (s Secret) String() string { return Mask }

// Format writes [Mask] for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Mask)) }

// LogValue returns [Mask].
func (s Secret) LogValue() slog.Value { return slog.StringValue(Mask) }

// MarshalText returns [Mask]; encoding/json uses it as well.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Mask), nil }
