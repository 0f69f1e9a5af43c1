package wincred_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/authring/authring/keyring/wincred"
)

func FuzzParseHead(f *testing.F) {
	for _, seed := range []string{
		"", "token", "authring-parts/", "authring-parts/1 0123456789abcdef 3 " + strings.Repeat("f", 64),
		"authring-parts/2 x", "authring-parts/1 0123456789abcdef 03 " + strings.Repeat("f", 64), "authring-parts/1 a b c d",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		canonical, split, err := wincred.IsHead(text)
		if split != strings.HasPrefix(text, "authring-parts/") {
			t.Errorf("%q: a head: %v", text, split)
		}
		if split && err == nil && canonical != text {
			t.Errorf("%q is read as %q", text, canonical)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "x", "\xff\xfea\x00", "\xfe\xff\x00a", "\x00\xd8\x00\xdc", "\x00\xdc", "\x00\xd8", "ab\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		s, err := wincred.Decode(blob)
		if err != nil {
			return
		}
		if !utf8.ValidString(s) {
			t.Errorf("%x gives %q", blob, s)
		}
		if strings.HasPrefix(s, "\ufeff") || strings.HasPrefix(s, "\ufffe") {
			return // read as a mark
		}
		if back, err := wincred.Decode(wincred.Encode(s)); err != nil || back != s {
			t.Errorf("%q comes back as %q, %v", s, back, err)
		}
	})
}
