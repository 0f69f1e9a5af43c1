//go:build unix

package plaintext_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/authring/authring/internal/ready"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/plaintext"
	"github.com/authring/authring/secret"
)

// newPath returns a file that is not there yet, in a folder that is not there
// yet.
func newPath(t *testing.T) string {
	return filepath.Join(t.TempDir(), "python_keyring", "keyring_pass.cfg")
}

func newKeyring(t *testing.T) (*plaintext.Keyring, string) {
	path := newPath(t)
	return plaintext.New(plaintext.WithPath(path)), path
}

func set(t *testing.T, k keyring.Keyring, user, value string) {
	t.Helper()
	if err := k.Set(t.Context(), testKey(user), secret.New(value), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, k keyring.Keyring, user, value string) {
	t.Helper()
	got, err := k.Get(t.Context(), testKey(user), keyring.NoPrompt)
	if err != nil || got.Reveal() != value {
		t.Errorf("Get(%q) = %q, %v; want %q", user, got.Reveal(), err, value)
	}
}

func wantMissing(t *testing.T, k keyring.Keyring, user string) {
	t.Helper()
	if got, err := k.Get(t.Context(), testKey(user), keyring.NoPrompt); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("Get(%q) = %q, %v; want ErrNotFound", user, got.Reveal(), err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDefaultPath(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	for value, want := range map[string]string{
		"":               filepath.Join(home, ".local/share/python_keyring/keyring_pass.cfg"),
		"/somewhere/xdg": "/somewhere/xdg/python_keyring/keyring_pass.cfg",
	} {
		t.Setenv("XDG_DATA_HOME", value)
		if got, err := plaintext.New().Path(); err != nil || got != want {
			t.Errorf("XDG_DATA_HOME=%q: %q, %v; want %q", value, got, err, want)
		}
	}
	t.Setenv("XDG_DATA_HOME", "relative")
	status := plaintext.New().Probe(t.Context())
	if status.Availability != keyring.Unavailable || !strings.Contains(status.Detail, "XDG_DATA_HOME") {
		t.Errorf("relative XDG_DATA_HOME: %+v", status)
	}
}

func TestLookingMakesNothing(t *testing.T) {
	k, path := newKeyring(t)
	if status := k.Probe(t.Context()); status.Availability != keyring.Ready || !strings.Contains(status.Name, path) {
		t.Errorf("Probe = %+v, want ready, with the path", status)
	}
	wantMissing(t, k, "a")
	if err := k.Delete(t.Context(), testKey("a"), keyring.NoPrompt); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("Delete = %v, want ErrNotFound", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("the folder was made: %v", err)
	}
}

func TestModes(t *testing.T) {
	k, path := newKeyring(t)
	set(t, k, "a", "1")
	for name, want := range map[string]os.FileMode{path: 0o600, path + ".lock": 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

func TestOthersEntriesStay(t *testing.T) {
	k, path := newKeyring(t)
	write(t, path, "[DEFAULT]\nd = 1\n\n[Other_20App]\nkey = \n\tdmFsdWU=\nplain = text: with = all # of % it\n\n[authring]\nb = \n\tYg==\n\n")
	before := read(t, path)
	set(t, k, "a", "1")
	want(t, k, "b", "b")
	if err := k.Delete(t.Context(), testKey("a"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	if after := read(t, path); after != before {
		t.Errorf("after Set and Delete:\n%s\nbefore:\n%s", after, before)
	}
}

func TestNamesThatDifferInCase(t *testing.T) {
	k, path := newKeyring(t)
	set(t, k, "dbid:AAAA", "of AAAA")
	err := k.Set(t.Context(), testKey("dbid:aaaa"), secret.New("of aaaa"), keyring.NoPrompt)
	if !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), "upper and lower case") {
		t.Errorf("Set of a name that differs in case = %v, want a refusal that says so", err)
	}
	wantMissing(t, k, "dbid:aaaa")
	if err := k.Delete(t.Context(), testKey("dbid:aaaa"), keyring.NoPrompt); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("Delete of a name that differs in case = %v, want ErrNotFound", err)
	}
	want(t, k, "dbid:AAAA", "of AAAA")
	if err := k.Delete(t.Context(), testKey("dbid:AAAA"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	set(t, k, "dbid:aaaa", "of aaaa")
	want(t, k, "dbid:aaaa", "of aaaa")

	// Services that differ in case are sections of their own.
	upper := keyring.Key{Service: "AUTHRING", User: "dbid:AAAA"}
	if err := k.Set(t.Context(), upper, secret.New("upper"), keyring.NoPrompt); err != nil {
		t.Error(err)
	}
	want(t, k, "dbid:aaaa", "of aaaa")
	if strings.Count(read(t, path), "exact user names") != 2 {
		t.Errorf("the file:\n%s", read(t, path))
	}
}

func TestKeysAndValuesThatDoNotFit(t *testing.T) {
	k, path := newKeyring(t)
	for _, key := range []keyring.Key{{Service: "s"}, {User: "u"}, {}, {Service: "DEFAULT", User: "u"}} {
		err := k.Set(t.Context(), key, secret.New("v"), keyring.NoPrompt)
		var kerr *keyring.Error
		if !errors.As(err, &kerr) {
			t.Errorf("Set(%v) = %v, want a *keyring.Error", key, err)
		}
		if _, err := k.Get(t.Context(), key, keyring.NoPrompt); err == nil {
			t.Errorf("Get(%v) succeeded", key)
		}
	}
	for name, value := range map[string]string{"empty": "", "no text": "\xff\xfe", "too large": strings.Repeat("x", 1<<20)} {
		if err := k.Set(t.Context(), testKey("a"), secret.New(value), keyring.NoPrompt); !errors.Is(err, keyring.ErrUnavailable) {
			t.Errorf("%s: Set = %v, want ErrUnavailable", name, err)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error("something was written")
	}
}

func TestDamagedFiles(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"no section":      {"key = value\n", "line 1"},
		"two sections":    {"[a]\n[authring]\n[authring]\n", "line 3"},
		"not text":        {"[a]\nk = \xff\n", "line 2"},
		"too large":       {"[a]\nk = " + strings.Repeat("x", 1<<20), "larger"},
		"not base64":      {"[authring]\na = \n\t###\n\ta secret\n", "base64"},
		"empty":           {"[authring]\na = \n", "empty"},
		"base64 of \\xff": {"[authring]\na = \n\t/w==\n", "base64 of a text"},
	} {
		t.Run(name, func(t *testing.T) {
			k, path := newKeyring(t)
			write(t, path, c.text)
			_, err := k.Get(t.Context(), testKey("a"), keyring.NoPrompt)
			if !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("Get = %v, want ErrUnavailable, %q and the path", err, c.says)
			}
			if strings.Contains(err.Error(), "a secret") {
				t.Errorf("the error shows the file: %v", err)
			}
			if strings.HasPrefix(c.says, "line") || c.says == "larger" {
				if err := k.Set(t.Context(), testKey("b"), secret.New("v"), keyring.NoPrompt); !errors.Is(err, keyring.ErrUnavailable) {
					t.Errorf("Set = %v, want ErrUnavailable", err)
				}
				if status := k.Probe(t.Context()); status.Availability != keyring.Unavailable || !strings.Contains(status.Detail, c.says) {
					t.Errorf("Probe = %+v, want unavailable", status)
				}
				if read(t, path) != c.text {
					t.Error("the file was overwritten")
				}
			}
		})
	}
}

func TestKilledWhileWriting(t *testing.T) {
	path := newPath(t)
	k := plaintext.New(plaintext.WithPath(path))
	set(t, k, "other", "stays")
	for range 20 {
		cmd := another(t, "rewrite", path)
		ready.Start(t, cmd, "writing")
		// Reads while it writes; then it dies somewhere.
		for range 20 {
			wantWhole(t, k)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		wantWhole(t, k)
		want(t, k, "other", "stays")
	}
	set(t, k, "rewritten", "the lock of the dead holds nobody up")
	want(t, k, "rewritten", "the lock of the dead holds nobody up")
}

// wantWhole fails unless the secret is one of those that rewrite stores.
func wantWhole(t *testing.T, k keyring.Keyring) {
	t.Helper()
	got, err := k.Get(t.Context(), testKey("rewritten"), keyring.NoPrompt)
	if err != nil {
		t.Fatal(err)
	}
	if value := got.Reveal(); len(value) != 2000 || strings.Trim(value, value[:1]) != "" {
		t.Fatalf("read a mixture of %d bytes", len(value))
	}
}

func TestProcessesLoseNothing(t *testing.T) {
	path := newPath(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if out, err := another(t, "count", path, fmt.Sprint("process", i)).CombinedOutput(); err != nil {
				t.Errorf("process %d: %v: %s", i, err, out)
			}
		})
	}
	wg.Wait()
	k := plaintext.New(plaintext.WithPath(path))
	for i := range 8 {
		for j := range 10 {
			user := fmt.Sprint("process", i, "-", j)
			want(t, k, user, user)
		}
	}
}

func TestFullDiskLeavesTheOldSecret(t *testing.T) {
	k, path := newKeyring(t)
	set(t, k, "a", "old")
	before := read(t, path)
	out, err := another(t, "full disk", path).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "file too large") {
		t.Errorf("Set on a full disk: %v: %s; want the system's error", err, out)
	}
	if read(t, path) != before {
		t.Error("the file has changed")
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v; want the file and its lock", entries, err)
	}
}
