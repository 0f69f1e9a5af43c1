package secretservice

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"math/big"
	"strings"
	"testing"
)

func TestAgree(t *testing.T) {
	for range 50 {
		a, err := newKeyPair()
		if err != nil {
			t.Fatal(err)
		}
		b, err := newKeyPair()
		if err != nil {
			t.Fatal(err)
		}
		if len(a.public) != groupSize || a.public[0] == 0 || a.public[0] == 0xff {
			t.Fatalf("public key %x", a.public)
		}
		one, err1 := a.agree(b.public)
		// Some send a zero in front, as of a number that is not negative.
		two, err2 := b.agree(append([]byte{0}, a.public...))
		if errors.Is(err1, errLeadingZero) && errors.Is(err2, errLeadingZero) {
			continue
		}
		if err1 != nil || err2 != nil || !bytes.Equal(one, two) || len(one) != keySize {
			t.Fatalf("keys %x (%v) and %x (%v)", one, err1, two, err2)
		}
		// The definition, written another way.
		shared := new(big.Int).Exp(new(big.Int).SetBytes(b.public), a.private, a.prime)
		want, err := hkdf.Key(sha256.New, shared.Bytes(), make([]byte, sha256.Size), "", 16)
		if err != nil || !bytes.Equal(one, want) {
			t.Fatalf("key %x, want %x (%v)", one, want, err)
		}
	}
}

func TestAgreeRefusesWeakKeys(t *testing.T) {
	pair, err := newKeyPair()
	if err != nil {
		t.Fatal(err)
	}
	p := groupPrime()
	number := func(n int64) []byte { return new(big.Int).Add(p, big.NewInt(n)).Bytes() }
	for name, peer := range map[string][]byte{
		"empty": nil, "0": {0}, "1": {0, 1}, "p-1": number(-1), "p": number(0), "p+1": number(1), "2p": new(big.Int).Lsh(p, 1).Bytes(),
		"too long": bytes.Repeat([]byte{1}, 4096),
	} {
		if _, err := pair.agree(peer); !errors.Is(err, errSession) {
			t.Errorf("agree(%s) = %v, want errSession", name, err)
		}
	}
	// With the exponent 0 the secret is 1, which is nearly all zeros.
	pair.private = new(big.Int)
	if _, err := pair.agree(number(-2)); !errors.Is(err, errLeadingZero) {
		t.Errorf("agree = %v, want errLeadingZero", err)
	}
}

func TestGroupIsASafePrime(t *testing.T) {
	p := groupPrime()
	q := new(big.Int).Rsh(p, 1)
	if p.BitLen() != 8*groupSize || !p.ProbablyPrime(10) || !q.ProbablyPrime(10) {
		t.Error("the group is not the one of RFC 2409, section 6.2")
	}
}

func testSession() *session {
	return &session{path: "/org/freedesktop/secrets/session/s1", key: func() ([]byte, error) { return []byte("0123456789abcdef"), nil }}
}

func TestSealAndOpen(t *testing.T) {
	s := testSession()
	for n := range 70 {
		value := []byte(strings.Repeat("x", n))
		sealed, err := s.seal(value)
		if err != nil {
			t.Fatal(err)
		}
		if n > 3 && bytes.Contains(sealed.Value, value) {
			t.Fatal("not encrypted")
		}
		again, err := s.seal(value)
		if err != nil || bytes.Equal(again.Parameters, sealed.Parameters) {
			t.Fatal("the same vector twice")
		}
		opened, err := s.open(sealed)
		if err != nil || !bytes.Equal(opened, value) {
			t.Fatalf("open = %q, %v, want %d bytes", opened, err, n)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	s := testSession()
	good, err := s.seal([]byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*wireSecret){
		"another session":  func(w *wireSecret) { w.Session = "/other" },
		"no vector":        func(w *wireSecret) { w.Parameters = nil },
		"short vector":     func(w *wireSecret) { w.Parameters = w.Parameters[1:] },
		"no value":         func(w *wireSecret) { w.Value = nil },
		"value cut":        func(w *wireSecret) { w.Value = w.Value[:15] },
		"padding changed":  func(w *wireSecret) { w.Parameters[15] ^= 0x40 },
		"padding of zero":  func(w *wireSecret) { w.Parameters[15] ^= 11 },
		"padding uneven":   func(w *wireSecret) { w.Parameters[14] ^= 1 },
		"padding too long": func(w *wireSecret) { w.Parameters[15] ^= 11 ^ 17 },
	} {
		bad := good
		bad.Parameters, bad.Value = bytes.Clone(good.Parameters), bytes.Clone(good.Value)
		change(&bad)
		if value, err := s.open(bad); err == nil {
			t.Errorf("%s: open = %q", name, value)
		}
	}
}
