//go:build unix

package sealed_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
	"github.com/authring/authring/secret"
)

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

// wantFailure fails unless all operations fail with all the kinds, and leave
// the file as it is.
func wantFailure(t *testing.T, k *sealed.Keyring, kinds ...error) {
	t.Helper()
	path, err := k.Path()
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	_, getErr := k.Get(t.Context(), testKey("a"), keyring.NoPrompt)
	for op, err := range map[string]error{
		"Get":    getErr,
		"Set":    k.Set(t.Context(), testKey("a"), secret.New("do-not-print-me"), keyring.NoPrompt),
		"Delete": k.Delete(t.Context(), testKey("a"), keyring.NoPrompt),
	} {
		for _, kind := range kinds {
			if !errors.Is(err, kind) {
				t.Errorf("%s = %v, want %v", op, err, kind)
			}
		}
		if err != nil && strings.Contains(err.Error(), "do-not-print-me") {
			t.Errorf("%s shows the secret: %v", op, err)
		}
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

func TestDefaultPath(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "/data")
	path, err := sealed.New().Path()
	if err != nil || (path != "/data/authring/sealed.keyring" && filepath.Base(filepath.Dir(filepath.Dir(path))) != "Application Support") {
		t.Errorf("Path() = %q, %v", path, err)
	}
	if id := sealed.New().ID(); id != keyring.Sealed {
		t.Errorf("ID() = %q", id)
	}
}

// TestNothingIsInTheClear: neither secrets nor names can be read from any file
// of the folder, and all of them are for their owner alone.
func TestNothingIsInTheClear(t *testing.T) {
	path := newPath(t)
	k := sealed.New(sealed.WithPath(path), sealed.WithIdentityFile(newIdentity(t)))
	for _, value := range []string{"first-secret", "second-secret"} {
		set(t, k, "config:work:dbid:AAAA", value)
	}
	dir := filepath.Dir(path)
	if got := files(t, dir); got != "sealed.keyring sealed.keyring.conf sealed.keyring.lock sealed.keyring.previous" {
		t.Errorf("the folder holds %s", got)
	}
	for _, name := range strings.Fields(files(t, dir)) {
		data := read(t, filepath.Join(dir, name))
		for _, hidden := range []string{"secret", "AAAA", "work", "AGE-SECRET-KEY"} {
			if bytes.Contains(bytes.ReplaceAll(data, []byte("-> "), nil), []byte(hidden)) {
				t.Errorf("%s holds %q", name, hidden)
			}
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// TestDeletedIsGone: a secret that was deleted is in no generation, and with
// the last one the file goes, so that it can be made with another key.
func TestDeletedIsGone(t *testing.T) {
	path := newPath(t)
	k := sealed.New(sealed.WithPath(path), sealed.WithKeyFile(path+".key"))
	set(t, k, "a", "1")
	set(t, k, "b", "2")
	if err := k.Delete(t.Context(), testKey("a"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	keys, err := k.Keys(t.Context(), keyring.NoPrompt)
	if err != nil || len(keys) != 1 || keys[0] != testKey("b") {
		t.Errorf("Keys = %v, %v", keys, err)
	}
	if got := files(t, filepath.Dir(path)); strings.Contains(got, "previous") {
		t.Errorf("after Delete the folder holds %s", got)
	}
	set(t, k, "b", "3")
	if err := k.Delete(t.Context(), testKey("b"), keyring.NoPrompt); err != nil {
		t.Fatal(err)
	}
	if got := files(t, filepath.Dir(path)); got != "sealed.keyring.conf sealed.keyring.key sealed.keyring.lock" {
		t.Errorf("after the last Delete the folder holds %s", got)
	}
	if keys, err := k.Keys(t.Context(), keyring.NoPrompt); err != nil || len(keys) != 0 {
		t.Errorf("Keys of no file = %v, %v", keys, err)
	}
	anew := sealed.New(sealed.WithPath(path), passphrase("another"), sealed.WithCheapPassphrase())
	set(t, anew, "a", "new")
	want(t, anew, "a", "new")
}

func TestKeysAndValuesThatDoNotFit(t *testing.T) {
	path := newPath(t)
	k := sealed.New(sealed.WithPath(path), passphrase("x"), sealed.WithCheapPassphrase())
	for _, key := range []keyring.Key{{Service: "s"}, {User: "u"}, {}, {Service: "s", User: "\xff"}} {
		if err := k.Set(t.Context(), key, secret.New("v"), keyring.NoPrompt); !errors.Is(err, keyring.ErrUnavailable) {
			t.Errorf("Set(%v) = %v, want ErrUnavailable", key, err)
		}
	}
	for name, value := range map[string]string{"empty": "", "too large": strings.Repeat("x", 1<<20)} {
		if err := k.Set(t.Context(), testKey("a"), secret.New(value), keyring.NoPrompt); !errors.Is(err, keyring.ErrUnavailable) {
			t.Errorf("%s: Set = %v, want ErrUnavailable", name, err)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error("something was written")
	}
	set(t, k, "bytes", "\x00\xff\xfe\n")
	want(t, k, "bytes", "\x00\xff\xfe\n")
	// Many that fit, and then one too many.
	err := error(nil)
	for i := 0; err == nil && i < 10; i++ {
		err = k.Set(t.Context(), testKey(strings.Repeat("n", i+1)), secret.New(strings.Repeat("x", 300<<10)), keyring.NoPrompt)
	}
	if !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), "larger") {
		t.Errorf("Set beyond the bound = %v", err)
	}
	want(t, k, "bytes", "\x00\xff\xfe\n")
}

// TestRefused: what others may have read or written is not used. The checks
// are those of the plain-text file, which has a test for each.
func TestRefused(t *testing.T) {
	path := newPath(t)
	k := sealed.New(sealed.WithPath(path), sealed.WithIdentityFile(newIdentity(t)))
	set(t, k, "a", "value")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, k, keyring.ErrUnavailable)
	if status := k.Probe(t.Context()); status.Availability != keyring.Unavailable || !strings.Contains(status.Detail, "chmod 600") {
		t.Errorf("Probe = %+v", status)
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.Rename(path, path+".target"), os.Symlink(path+".target", path)); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, k, keyring.ErrUnavailable)
}
