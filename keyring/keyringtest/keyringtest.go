// Package keyringtest is the conformance suite that every backend of authring
// passes against its real daemon, and that other backends may use:
//
//	func TestConformance(t *testing.T) {
//		keyringtest.Run(t, func(t *testing.T) keyring.Keyring { return mine.New() })
//	}
package keyringtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

const service = "authring-conformance"

// Option changes what [Run] asks of a keyring.
type Option func(*suite)

type suite struct{ largest int }

// WithLargest is for keyrings that say they take no more than this many bytes,
// in place of 64 KiB.
func WithLargest(size int) Option { return func(s *suite) { s.largest = size } }

// Run holds an unlocked keyring against the contract of [keyring.Keyring].
// Each call of open returns a new handle on the same store.
func Run(t *testing.T, open func(t *testing.T) keyring.Keyring, opts ...Option) {
	t.Helper()
	s := &suite{largest: 64 << 10}
	for _, opt := range opts {
		opt(s)
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T, func(*testing.T) keyring.Keyring)
	}{
		{"RoundTrip", roundTrip},
		{"Overwrite", overwrite},
		{"Missing", missing},
		{"KeysAreApart", keysAreApart},
		{"DeleteTakesOne", deleteTakesOne},
		{"SurvivesAnotherHandle", survives},
		{"Values", s.values},
		{"Concurrent", concurrent},
		{"CancelledContext", cancelled},
		{"ProbeChangesNothing", probeChangesNothing},
		{"ErrorsHideSecrets", errorsHideSecrets},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open) })
	}
}

func key(t *testing.T, user string) keyring.Key {
	return keyring.Key{Service: service, User: "config:" + strings.ReplaceAll(t.Name(), "/", "-") + ":" + user}
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func set(t *testing.T, k keyring.Keyring, key keyring.Key, value string) {
	t.Helper()
	if err := k.Set(bounded(t), key, secret.New(value), keyring.NoPrompt); err != nil {
		t.Fatalf("Set(%v): %v", key, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = k.Delete(ctx, key, keyring.NoPrompt)
	})
}

func want(t *testing.T, k keyring.Keyring, key keyring.Key, value string) {
	t.Helper()
	got, err := k.Get(bounded(t), key, keyring.NoPrompt)
	if err != nil {
		t.Fatalf("Get(%v): %v", key, err)
	}
	if got.Reveal() != value {
		t.Errorf("Get(%v) = %d bytes that differ, want %d bytes", key, len(got.Reveal()), len(value))
	}
}

func wantMissing(t *testing.T, k keyring.Keyring, key keyring.Key) {
	t.Helper()
	if _, err := k.Get(bounded(t), key, keyring.NoPrompt); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("Get(%v) = %v, want ErrNotFound", key, err)
	}
}

func roundTrip(t *testing.T, open func(*testing.T) keyring.Keyring) {
	k := open(t)
	if k.ID() == "" {
		t.Error("ID() is empty")
	}
	set(t, k, key(t, "dbid:AAAA"), "token-1")
	want(t, k, key(t, "dbid:AAAA"), "token-1")
	if err := k.Delete(bounded(t), key(t, "dbid:AAAA"), keyring.NoPrompt); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	wantMissing(t, k, key(t, "dbid:AAAA"))
}

func overwrite(t *testing.T, open func(*testing.T) keyring.Keyring) {
	k := open(t)
	for i := range 5 {
		value := fmt.Sprintf("token-%d", i)
		set(t, k, key(t, "a"), value)
		want(t, k, key(t, "a"), value)
	}
	if err := k.Delete(bounded(t), key(t, "a"), keyring.NoPrompt); err != nil {
		t.Fatalf("Delete: %v", err)
	}
	// An older value must not come to light once the newest is gone.
	wantMissing(t, k, key(t, "a"))
}

func missing(t *testing.T, open func(*testing.T) keyring.Keyring) {
	k := open(t)
	wantMissing(t, k, key(t, "never-written"))
	if err := k.Delete(bounded(t), key(t, "never-written"), keyring.NoPrompt); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("Delete = %v, want ErrNotFound", err)
	}
	wantMissing(t, k, keyring.Key{Service: service + "-never", User: "x"})
}

func keysAreApart(t *testing.T, open func(*testing.T) keyring.Keyring) {
	k := open(t)
	keys := []keyring.Key{
		key(t, "dbid:AAAA"), key(t, "dbid:AAAA "), key(t, "dbid:AAA"), key(t, "dbid:AAAB"),
		key(t, "ünïcödé"), key(t, "quote'\"=[]%;#\\"),
		{Service: service + " 2", User: key(t, "dbid:AAAA").User},
	}
	for i, key := range keys {
		set(t, k, key, fmt.Sprintf("value-%d", i))
	}
	for i, key := range keys {
		want(t, k, key, fmt.Sprintf("value-%d", i))
	}
}

func deleteTakesOne(t *testing.T, open func(*testing.T) keyring.Keyring) {
	k := open(t)
	set(t, k, key(t, "one"), "1")
	set(t, k, key(t, "two"), "2")
	if err := k.Delete(bounded(t), key(t, "one"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	want(t, k, key(t, "two"), "2")
}

func survives(t *testing.T, open func(*testing.T) keyring.Keyring) {
	set(t, open(t), key(t, "a"), "kept")
	want(t, open(t), key(t, "a"), "kept")
}

func (s *suite) values(t *testing.T, open func(*testing.T) keyring.Keyring) {
	k := open(t)
	for name, value := range map[string]string{
		"one byte":     "x",
		"token":        "sl.u." + strings.Repeat("Ab3-_", 300),
		"spaces":       "  leading, trailing and \t inner  ",
		"line breaks":  "first\nsecond\r\nthird\n",
		"unicode":      "pässwörd 🔑 中文",
		"ini":          "[section]\nkey = value\n%(x)s ; # =",
		"largest":      strings.Repeat("0123456789abcdef", s.largest/16),
		"block border": strings.Repeat("b", 16),
	} {
		set(t, k, key(t, name), value)
		want(t, k, key(t, name), value)
	}
}

func concurrent(t *testing.T, open func(*testing.T) keyring.Keyring) {
	k := open(t)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			key := key(t, fmt.Sprint("worker-", i))
			for round := range 5 {
				value := fmt.Sprintf("%d-%d", i, round)
				if err := k.Set(bounded(t), key, secret.New(value), keyring.NoPrompt); err != nil {
					t.Errorf("Set: %v", err)
					return
				}
				got, err := k.Get(bounded(t), key, keyring.NoPrompt)
				if err != nil || got.Reveal() != value {
					t.Errorf("Get after Set: equal %v, error %v", got.Reveal() == value, err)
				}
			}
			if err := k.Delete(bounded(t), key, keyring.NoPrompt); err != nil {
				t.Errorf("Delete: %v", err)
			}
		})
	}
	wg.Wait()
}

func cancelled(t *testing.T, open func(*testing.T) keyring.Keyring) {
	k := open(t)
	set(t, k, key(t, "a"), "before")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Get(ctx, key(t, "a"), keyring.AskUser); !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v, want context.Canceled", err)
	}
	if err := k.Set(ctx, key(t, "a"), secret.New("after"), keyring.AskUser); !errors.Is(err, context.Canceled) {
		t.Errorf("Set = %v, want context.Canceled", err)
	}
	if err := k.Delete(ctx, key(t, "a"), keyring.AskUser); !errors.Is(err, context.Canceled) {
		t.Errorf("Delete = %v, want context.Canceled", err)
	}
	want(t, k, key(t, "a"), "before")
}

func probeChangesNothing(t *testing.T, open func(*testing.T) keyring.Keyring) {
	k := open(t)
	set(t, k, key(t, "a"), "value")
	for range 3 {
		status := keyring.Probe(bounded(t), k)
		if status.Availability != keyring.Ready {
			t.Errorf("Probe() = %v (%s), want ready", status.Availability, status.Detail)
		}
		if status.Name == "" {
			t.Error("Probe() has no name")
		}
	}
	want(t, k, key(t, "a"), "value")
}

func errorsHideSecrets(t *testing.T, open func(*testing.T) keyring.Keyring) {
	k := open(t)
	const value = "do-not-print-me"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := k.Set(ctx, key(t, "a"), secret.New(value), keyring.NoPrompt)
	if err == nil {
		t.Fatal("Set with an ended context succeeded")
	}
	if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, value) {
		t.Errorf("the error shows the secret: %s", text)
	}
	var kerr *keyring.Error
	if !errors.As(err, &kerr) || kerr.Keyring != k.ID() {
		t.Errorf("error %T (%v), want a *keyring.Error of %s", err, err, k.ID())
	}
}
