package sealed_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
	"github.com/authring/authring/secret"
)

// FuzzFile: whatever a file holds, it is refused with one of the errors that
// say why, unless it is one that was sealed with the key.
func FuzzFile(f *testing.F) {
	good, keyFile := testdata(f, "v1.keyring"), testdata(f, "v1.key")
	key, err := sealed.KeyOf(good, keyFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:60])
	f.Add([]byte("authring sealed\n\x02"))
	f.Add([]byte("authring sealed\n\x01\xff\xff\xff\xff"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		// The checksum is put right too, or little would get past it.
		for _, data := range [][]byte{data, resumIfLong(data)} {
			err := sealed.ParseAll(data, key)
			if err == nil && !bytes.Equal(data, good) {
				t.Fatal("a file was accepted that nobody sealed")
			}
			if err != nil && !errors.Is(err, sealed.ErrDamaged) && !errors.Is(err, sealed.ErrNewer) {
				t.Fatalf("the error is %v", err)
			}
		}
	})
}

func resumIfLong(data []byte) []byte {
	if len(data) < 64 {
		return data
	}
	return resum(data)
}

// FuzzContents: what can be read is written so that it reads the same.
func FuzzContents(f *testing.F) {
	f.Add([]byte(`{"generation":1,"items":[{"service":"s","user":"u","secret":"dg=="}]}`))
	f.Add([]byte(`{"generation":1,"items":null}`))
	f.Add([]byte(`{"generation":1,"items":[],"later":1}`))
	f.Add([]byte(`{} {}`))
	f.Fuzz(func(t *testing.T, plain []byte) {
		once, err := sealed.Decode(plain)
		if err != nil {
			if !errors.Is(err, sealed.ErrNewer) {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		again, err := sealed.Decode(once)
		if err != nil || !bytes.Equal(once, again) {
			t.Fatalf("%q, written and read: %q, %v", once, again, err)
		}
	})
}

// FuzzKeyFile: whatever a key file holds, it works or is refused, and is not
// shown.
func FuzzKeyFile(f *testing.F) {
	f.Add([]byte("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n"))
	f.Add(bytes.Repeat([]byte("k"), 32))
	f.Add([]byte("AGE-PLUGIN-X-1\n"))
	f.Add([]byte("# comment\nAGE-SECRET-KEY-PQ-1\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte("AGE-PLUGIN-")) {
			return // would start a program
		}
		key := filepath.Join(dir, "key")
		if err := os.WriteFile(key, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, option := range []sealed.Option{sealed.WithKeyFile(key), sealed.WithIdentityFile(key)} {
			path := filepath.Join(dir, "sealed")
			k := sealed.New(sealed.WithPath(path), option)
			err := k.Set(t.Context(), keyring.Key{Service: "s", User: "u"}, secret.New("v"), keyring.NoPrompt)
			if err != nil && !errors.Is(err, keyring.ErrLocked) {
				t.Fatalf("the error is %v", err)
			}
			if err == nil {
				got, err := sealed.New(sealed.WithPath(path), option).Get(t.Context(), keyring.Key{Service: "s", User: "u"}, keyring.NoPrompt)
				if err != nil || got.Reveal() != "v" {
					t.Fatalf("Get = %q, %v", got.Reveal(), err)
				}
			}
			for _, suffix := range []string{"", ".previous", ".conf"} {
				_ = os.Remove(path + suffix)
			}
		}
	})
}
