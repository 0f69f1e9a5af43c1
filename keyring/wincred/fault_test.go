//go:build !windows

package wincred_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/wincred"
	"github.com/authring/authring/secret"
)

var testKey = keyring.Key{Service: "authring-test", User: "config:default:dbid:AAAA"}

func fake(t *testing.T) (*wincred.Fake, *wincred.Keyring) {
	f := wincred.NewFake()
	return f, f.Open(filepath.Join(t.TempDir(), "x.lock"))
}

// TestKilledAtEachStep: the store ends as it would if the process was killed
// before each call of Windows that a write or a deletion makes. The next
// process reads the old secret or the new one, and after its own write nothing
// is left over.
func TestKilledAtEachStep(t *testing.T) {
	long, longer := strings.Repeat("old", 2000), strings.Repeat("newer", 3000)
	for name, c := range map[string]struct{ old, new string }{
		"short by short": {"old", "new"},
		"short by long":  {"old", longer},
		"long by long":   {long, longer},
		"long by short":  {long, "new"},
		"none by long":   {"", longer},
		"long deleted":   {long, ""},
		"short deleted":  {"old", ""},
	} {
		for _, first := range []bool{false, true} { // of its service, as Python stores it
			t.Run(fmt.Sprintf("%s, first %v", name, first), func(t *testing.T) {
				steps := 0
				for at := 0; at == 0 || steps >= at; at++ {
					steps = killAt(t, at, first, c.old, c.new)
				}
				if steps < 2 {
					t.Errorf("only %d steps were seen", steps)
				}
			})
		}
	}
}

// killAt lets at calls of the change of old to new happen.
func killAt(t *testing.T, at int, first bool, old, new string) (steps int) {
	t.Helper()
	f, k := fake(t)
	if first {
		f.Put(wincred.Credential{Target: testKey.Service, User: testKey.User, Blob: wincred.Encode("before")})
	}
	if old != "" {
		set(t, k, testKey, old)
	}
	killed := errors.New("killed")
	f.Before = func(string, string) error {
		if steps++; steps > at {
			return killed
		}
		return nil
	}
	if new != "" {
		_ = k.Set(t.Context(), testKey, secret.New(new), keyring.NoPrompt)
	} else {
		_ = k.Delete(t.Context(), testKey, keyring.NoPrompt)
	}
	f.Before = func(string, string) error { return nil }

	got, err := k.Get(t.Context(), testKey, keyring.NoPrompt)
	before := old
	if first && old == "" {
		before = "before"
	}
	switch value := got.Reveal(); {
	case err != nil && !errors.Is(err, keyring.ErrNotFound), value != before && value != new:
		t.Errorf("after %d steps: %.20q, %v", at, value, err)
	}
	if old == "" || new == "" {
		// Asked for once more, a deletion leaves nothing, whatever it answers.
		if err := k.Delete(t.Context(), testKey, keyring.NoPrompt); err != nil && !errors.Is(err, keyring.ErrNotFound) {
			t.Errorf("Delete after %d steps: %v", at, err)
		}
		noneLeft(t, f)
		if first {
			f.Put(wincred.Credential{Target: testKey.Service, User: testKey.User, Blob: wincred.Encode("before")})
		}
	}
	set(t, k, testKey, "next")
	want(t, k, testKey, "next")
	if items := f.Items(); len(items) != 1 {
		t.Errorf("after %d steps and a write: %d credentials", at, len(items))
	}
	if err := k.Delete(t.Context(), testKey, keyring.NoPrompt); err != nil {
		t.Error(err)
	}
	noneLeft(t, f)
	return steps
}

// TestDamage: parts or heads that are not as they were written are told, never
// handed out, and overwritten by the next write.
func TestDamage(t *testing.T) {
	compound := testKey.User + "@" + testKey.Service
	for name, c := range map[string]struct {
		damage func(c wincred.Credential, head bool) (_ wincred.Credential, keep bool)
		says   string
	}{
		"a part is gone": {func(c wincred.Credential, head bool) (wincred.Credential, bool) {
			return c, head || !strings.HasSuffix(c.Target, ":1")
		}, "a part of the secret is missing"},
		"a part is another": {func(c wincred.Credential, head bool) (wincred.Credential, bool) {
			if strings.HasSuffix(c.Target, ":1") {
				c.Blob[0] ^= 1
			}
			return c, true
		}, "a part of the secret is missing"},
		"a newer head":  {rewrite("authring-parts/2 something new"), "newer version"},
		"half a head":   {rewrite("authring-parts/1 0123456789abcdef"), "damaged"},
		"endless parts": {rewrite("authring-parts/1 0123456789abcdef 99999999 " + strings.Repeat("0", 64)), "damaged"},
		"not a text": {func(c wincred.Credential, head bool) (wincred.Credential, bool) {
			if head {
				c.Blob = []byte{0xff}
			}
			return c, true
		}, "holds no text"},
	} {
		t.Run(name, func(t *testing.T) {
			f, k := fake(t)
			set(t, k, testKey, strings.Repeat("x", 7000))
			items := f.Items()
			f.Clear()
			for _, item := range items {
				if item, keep := c.damage(item, item.Target == compound); keep {
					f.Put(item)
				}
			}
			_, err := k.Get(t.Context(), testKey, keyring.NoPrompt)
			if !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Get = %v, want ErrUnavailable and %q", err, c.says)
			}
			set(t, k, testKey, "new")
			want(t, k, testKey, "new")
			if n := len(f.Items()); n != 1 {
				t.Errorf("%d credentials are left, want 1", n)
			}
		})
	}
}

func rewrite(text string) func(wincred.Credential, bool) (wincred.Credential, bool) {
	return func(c wincred.Credential, head bool) (wincred.Credential, bool) {
		if head {
			c.Blob = wincred.Encode(text)
		}
		return c, true
	}
}

// TestARestlessSecret: heads that change at every read end the reader too.
func TestARestlessSecret(t *testing.T) {
	f, k := fake(t)
	set(t, k, testKey, strings.Repeat("x", 7000))
	generation := 0
	f.Before = func(_, target string) error {
		if target == testKey.Service {
			generation++
			f.Put(wincred.Credential{Target: testKey.User + "@" + testKey.Service, User: testKey.User,
				Blob: wincred.Encode(fmt.Sprintf("authring-parts/1 %016x 3 %064x", generation, 0))})
		}
		return nil
	}
	if _, err := k.Get(t.Context(), testKey, keyring.NoPrompt); !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), "faster") {
		t.Errorf("Get = %v, want ErrUnavailable and the reason", err)
	}
}

func TestWhatWindowsRefuses(t *testing.T) {
	for code, says := range map[syscall.Errno]string{
		1312: "this logon has no credential store", 5: "a policy", 1722: "VaultSvc", 1058: "VaultSvc", 1062: "VaultSvc", 87: "refused the call",
	} {
		f, k := fake(t)
		f.Before = func(string, string) error { return code }
		_, err := k.Get(t.Context(), testKey, keyring.NoPrompt)
		var kerr *keyring.Error
		if !errors.As(err, &kerr) || kerr.Kind != keyring.ErrUnavailable || !errors.Is(err, code) || !strings.Contains(err.Error(), says) {
			t.Errorf("%d: %v, want ErrUnavailable and %q", code, err, says)
		}
		if status := k.Probe(t.Context()); status.Availability != keyring.Unavailable || !strings.Contains(status.Detail, says) {
			t.Errorf("%d: %+v, want unavailable and %q", code, status, says)
		}
	}
}

// TestAStoreThatHangs holds nobody up, and its late answer changes nothing for
// those who gave up.
func TestAStoreThatHangs(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "x.lock")
	synctest.Test(t, func(t *testing.T) {
		f := wincred.NewFake()
		k := f.Open(lock)
		set(t, k, testKey, "before")
		release := make(chan struct{})
		f.Before = func(string, string) error { <-release; return nil }
		began := time.Now()
		for range 20 {
			err := k.Set(t.Context(), testKey, secret.New("after"), keyring.NoPrompt)
			if !errors.Is(err, keyring.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "does not answer") {
				t.Fatalf("Set = %v, want ErrUnavailable", err)
			}
		}
		if took := time.Since(began); took != 200*time.Second {
			t.Errorf("20 calls took %v, want 10 s each", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := k.Get(ctx, testKey, keyring.NoPrompt); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Get = %v, want the caller's own deadline", err)
		}
		if status := k.Probe(t.Context()); status.Availability != keyring.Unavailable || status.Detail != "it does not answer" {
			t.Errorf("Probe = %+v", status)
		}
		close(release)
		synctest.Wait()
		want(t, k, testKey, "before")
	})
}

// TestWritersWait for each other, and say so if it lasts.
func TestWritersWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	held, err := filelock.Acquire(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		k := wincred.NewFake().Open(path)
		err := k.Set(t.Context(), testKey, secret.New("x"), keyring.NoPrompt)
		if !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), "another program") {
			t.Errorf("Set = %v, want ErrUnavailable and the reason", err)
		}
		wantMissing(t, k, testKey)
	})
	if err := held.Release(); err != nil {
		t.Error(err)
	}
}
