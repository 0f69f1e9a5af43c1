//go:build unix

package record_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/authring/authring/record"
	"github.com/authring/authring/secret"
)

func keyFile(l record.Layout) string { return filepath.Join(l.StateFolder(), "fingerprint.key") }

func fingerprints(t testing.TB, l record.Layout) record.Fingerprints {
	t.Helper()
	f, err := l.Fingerprints()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFingerprints(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	one, two := secret.New("one"), secret.New("two")
	f := fingerprints(t, l)
	if got := f.Of(one); !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(got) {
		t.Errorf("a fingerprint is %q", got)
	}
	if f.Of(one) != fingerprints(t, l).Of(one) {
		t.Error("a token has another fingerprint the second time")
	}
	if f.Of(one) == f.Of(two) {
		t.Error("two tokens have the same fingerprint")
	}
	if got := f.Of(secret.Secret{}); got != "" {
		t.Errorf("no token has the fingerprint %q", got)
	}
	wantMode(t, keyFile(l), 0o600)
	if f.Of(one) == fingerprints(t, layout(t, record.MaestralApp)).Of(one) {
		t.Error("two apps name a token the same")
	}
	if err := os.Remove(keyFile(l)); err != nil {
		t.Fatal(err)
	}
	if f.Of(one) == fingerprints(t, l).Of(one) {
		t.Error("a new key changes nothing")
	}
	if left := files(t, l.StateFolder()); strings.Contains(left, ".tmp") {
		t.Errorf("left behind:\n%s", left)
	}
}

func TestFingerprintKeyThatIsNone(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	path := keyFile(l)
	for name, put := range map[string]func() error{
		"empty":            func() error { return os.WriteFile(path, nil, 0o600) },
		"too short":        func() error { return os.WriteFile(path, make([]byte, 31), 0o600) },
		"too long":         func() error { return os.WriteFile(path, make([]byte, 33), 0o600) },
		"open to others":   func() error { return os.WriteFile(path, make([]byte, 32), 0o644) },
		"a folder":         func() error { return os.Mkdir(path, 0o700) },
		"a device":         func() error { return os.Symlink("/dev/zero", path) },
		"a link to itself": func() error { return os.Symlink("fingerprint.key", path) },
	} {
		if err := os.MkdirAll(l.StateFolder(), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := put(); err != nil {
			t.Fatal(err)
		}
		before := mode(t, path)
		f, err := l.Fingerprints()
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: Fingerprints() = %v, want an error that names the file", name, err)
		}
		if got := f.Of(secret.New("one")); got != "" {
			t.Errorf("%s: a token is named %q without a key", name, got)
		}
		if after := mode(t, path); after != before {
			t.Errorf("%s: it became %v", name, after)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := (record.Layout{}).Fingerprints(); err == nil {
		t.Error("a layout that is none has fingerprints")
	}
}

// Whoever comes first makes the key; all use that one.
func TestOneFingerprintKey(t *testing.T) {
	home(t)
	l := layout(t, record.DefaultApp)
	t.Run("goroutines", func(t *testing.T) {
		for range 20 {
			if err := os.RemoveAll(l.StateFolder()); err != nil {
				t.Fatal(err)
			}
			const n = 16
			var group sync.WaitGroup
			got := make([]string, n)
			for i := range n {
				group.Go(func() {
					f, err := l.Fingerprints()
					if err != nil {
						t.Error(err)
					}
					got[i] = f.Of(secret.New(verifier))
				})
			}
			group.Wait()
			want := fingerprints(t, l).Of(secret.New(verifier))
			for _, name := range got {
				if name != want {
					t.Fatalf("named %v, and then %s", got, want)
				}
			}
		}
	})
	t.Run("processes", func(t *testing.T) {
		if err := os.RemoveAll(l.StateFolder()); err != nil {
			t.Fatal(err)
		}
		const n = 8
		var group sync.WaitGroup
		got := make([]string, n)
		for i := range n {
			cmd := child(t, "name a token")
			group.Go(func() {
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Errorf("%v: %s", err, out)
				}
				got[i] = string(out)
			})
		}
		group.Wait()
		want := fingerprints(t, l).Of(secret.New(verifier))
		for _, name := range got {
			if name != want {
				t.Fatalf("named %v, and then %s", got, want)
			}
		}
	})
}
