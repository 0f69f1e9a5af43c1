package wincred_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/wincred"
	"github.com/authring/authring/secret"
)

func TestConformance(t *testing.T) {
	open := opener(t)
	matrix.Run(t, behind, func(*testing.T) keyring.Keyring { return open() })
}

func set(t *testing.T, k *wincred.Keyring, key keyring.Key, value string) {
	t.Helper()
	if err := k.Set(t.Context(), key, secret.New(value), keyring.NoPrompt); err != nil {
		t.Fatalf("Set(%v): %v", key, err)
	}
}

func want(t *testing.T, k *wincred.Keyring, key keyring.Key, value string) {
	t.Helper()
	got, err := k.Get(t.Context(), key, keyring.NoPrompt)
	if err != nil || got.Reveal() != value {
		t.Errorf("Get(%v) = %.200q, %v; want %.200q", key, got.Reveal(), err, value)
	}
}

func wantMissing(t *testing.T, k *wincred.Keyring, key keyring.Key) {
	t.Helper()
	if _, err := k.Get(t.Context(), key, keyring.NoPrompt); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("Get(%v) = %v, want ErrNotFound", key, err)
	}
}

// noneLeft fails where a test that removed its secrets left a credential.
func noneLeft(t *testing.T, fake *wincred.Fake) {
	t.Helper()
	for _, c := range fake.Items() {
		t.Errorf("left behind: %s (%s)", c.Target, c.Comment)
	}
}

// TestValuesOfAllKinds: whatever the encoding makes of it, what was written is
// read.
func TestValuesOfAllKinds(t *testing.T) {
	k := opener(t)()
	key := keyring.Key{Service: "authring-test", User: "values"}
	t.Cleanup(func() { _ = k.Delete(context.Background(), key, keyring.NoPrompt) })
	for name, value := range map[string]string{
		"byte order mark":         "\ufeffvalue",
		"other byte order mark":   "\ufffevalue",
		"mark alone":              "\ufeff",
		"zero bytes":              "a\x00b\x00",
		"replacement character":   "\ufffd",
		"beyond the basic plane":  "🔑",
		"like a head":             "authring-parts/1 0123456789abcdef 1 " + strings.Repeat("0", 64),
		"like the head to come":   "authring-parts/",
		"fills a credential":      strings.Repeat("x", wincred.BlobLimit/2),
		"one more":                strings.Repeat("x", wincred.BlobLimit/2+1),
		"fills one with pairs":    strings.Repeat("🔑", wincred.BlobLimit/4),
		"one pair more":           strings.Repeat("🔑", wincred.BlobLimit/4+1),
		"fills one part":          strings.Repeat("x", wincred.BlobLimit),
		"a byte of the next part": strings.Repeat("x", wincred.BlobLimit+1),
		"border within a letter":  strings.Repeat("é", wincred.BlobLimit),
		"longest":                 strings.Repeat("x", wincred.MostParts*wincred.BlobLimit),
	} {
		t.Run(name, func(t *testing.T) {
			set(t, k, key, value)
			want(t, k, key, value)
		})
	}
	for name, value := range map[string]string{
		"empty": "", "not a text": "\xff\xfe", "too long": strings.Repeat("x", wincred.MostParts*wincred.BlobLimit+1),
	} {
		set(t, k, key, "before")
		if err := k.Set(t.Context(), key, secret.New(value), keyring.NoPrompt); !errors.Is(err, keyring.ErrUnavailable) {
			t.Errorf("%s: Set = %v, want ErrUnavailable", name, err)
		}
		want(t, k, key, "before")
	}
}

// TestReadersSeeOneOrTheOther: while long secrets replace each other, every
// read is one of them.
func TestReadersSeeOneOrTheOther(t *testing.T) {
	if underWine() {
		t.Skip("Wine's own CredRead breaks while a CredWrite replaces what it reads")
	}
	open := opener(t)
	key := keyring.Key{Service: "authring-test", User: "busy"}
	values := []string{strings.Repeat("a", 8000), strings.Repeat("b", 20000), "short", strings.Repeat("c", 3000)}
	k := open()
	set(t, k, key, values[0])
	written := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			k := open()
			for {
				got, err := k.Get(t.Context(), key, keyring.NoPrompt)
				known := false
				for _, v := range values {
					known = known || got.Reveal() == v
				}
				if err != nil || !known {
					t.Errorf("read %d bytes that nobody wrote, %v", len(got.Reveal()), err)
				}
				select {
				case <-written:
					return
				default:
				}
			}
		})
	}
	var writers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			k := open()
			for round := range 20 {
				if err := k.Set(t.Context(), key, secret.New(values[(w+round)%len(values)]), keyring.NoPrompt); err != nil {
					t.Errorf("Set: %v", err)
				}
			}
		})
	}
	writers.Wait()
	close(written)
	wg.Wait()
	if err := k.Delete(t.Context(), key, keyring.NoPrompt); err != nil {
		t.Error(err)
	}
}

// TestNamesThatDifferInCase have one target between them.
func TestNamesThatDifferInCase(t *testing.T) {
	k := opener(t)()
	upper, lower := keyring.Key{Service: "authring-test", User: "dbid:AAAA"}, keyring.Key{Service: "authring-test", User: "dbid:aaaa"}
	set(t, k, upper, "of AAAA")
	wantMissing(t, k, lower)
	err := k.Set(t.Context(), lower, secret.New("of aaaa"), keyring.NoPrompt)
	if !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), "upper and lower case") {
		t.Errorf("Set = %v, want ErrUnavailable with the reason", err)
	}
	if err := k.Delete(t.Context(), lower, keyring.NoPrompt); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("Delete = %v, want ErrNotFound", err)
	}
	want(t, k, upper, "of AAAA")
	if err := k.Delete(t.Context(), upper, keyring.NoPrompt); err != nil {
		t.Error(err)
	}
}

func TestNamesThatAreNone(t *testing.T) {
	k := opener(t)()
	for _, key := range []keyring.Key{
		{}, {Service: "s"}, {User: "u"}, {Service: "s", User: "a\x00b"}, {Service: "s", User: "\xff"},
		{Service: "s", User: strings.Repeat("x", 513)}, {Service: strings.Repeat("🔑", 257), User: "u"},
	} {
		_, getErr := k.Get(t.Context(), key, keyring.NoPrompt)
		for op, err := range map[string]error{
			"Get":    getErr,
			"Set":    k.Set(t.Context(), key, secret.New("x"), keyring.NoPrompt),
			"Delete": k.Delete(t.Context(), key, keyring.NoPrompt),
		} {
			if !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), "at most 512") {
				t.Errorf("%s(%.20v) = %v, want ErrUnavailable with the reason", op, key, err)
			}
		}
	}
}

func TestProbeIsQuick(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	status := opener(t)().Probe(ctx)
	if status.Availability != keyring.Ready || status.Name != "Windows Credential Manager" || status.Detail != "" {
		t.Errorf("Probe = %+v", status)
	}
}
