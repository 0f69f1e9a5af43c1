//go:build unix

package sealed_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authring/authring/internal/cure"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
	"github.com/authring/authring/secret"
)

// versionAt is where the version is.
const versionAt = 16

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// oneSecret returns a file with one secret in it, and what opens it.
func oneSecret(t *testing.T) (path string, open func() *sealed.Keyring) {
	path = newPath(t)
	identity := sealed.WithIdentityFile(newIdentity(t))
	open = func() *sealed.Keyring { return sealed.New(sealed.WithPath(path), identity) }
	set(t, open(), "a", "value")
	return path, open
}

// TestEveryByte is changed: no wrong secret ever comes out, and the error says
// that the file is damaged, or newer, where the version was changed. With the
// checksum put right it may also say that the key is wrong.
func TestEveryByte(t *testing.T) {
	path, open := oneSecret(t)
	good := read(t, path)
	for at := range good {
		for _, mask := range []byte{0x01, 0x80, 0xff} {
			bad := bytes.Clone(good)
			bad[at] ^= mask
			put(t, path, bad)
			got, err := open().Get(t.Context(), testKey("a"), keyring.NoPrompt)
			kind := sealed.ErrDamaged
			if at == versionAt && bad[at] != 0 {
				kind = sealed.ErrNewer
			}
			if !got.IsZero() || !errors.Is(err, kind) || !errors.Is(err, keyring.ErrUnavailable) || errors.Is(err, keyring.ErrLocked) {
				t.Fatalf("byte %d ^ %#x: Get = %q, %v; want %v", at, mask, got.Reveal(), err, kind)
			}
			put(t, path, resum(bad))
			got, err = open().Get(t.Context(), testKey("a"), keyring.NoPrompt)
			if at >= len(good)-sha256.Size {
				if err != nil || got.Reveal() != "value" {
					t.Fatalf("byte %d of the sum, put right: %q, %v", at, got.Reveal(), err)
				}
				continue
			}
			wrongKey := errors.Is(err, keyring.ErrLocked) && errors.Is(err, sealed.ErrWrongKey)
			if !got.IsZero() || !wrongKey && !errors.Is(err, kind) && !strings.Contains(err.Error(), "there is no key for it") &&
				!strings.Contains(err.Error(), "sealed with a passphrase") {
				t.Fatalf("byte %d ^ %#x, sum put right: Get = %q, %v", at, mask, got.Reveal(), err)
			}
		}
	}
	put(t, path, good)
	want(t, open(), "a", "value")
}

func TestEveryLength(t *testing.T) {
	path, open := oneSecret(t)
	good := read(t, path)
	for length := range good {
		put(t, path, good[:length])
		if _, err := open().Get(t.Context(), testKey("a"), keyring.NoPrompt); !errors.Is(err, sealed.ErrDamaged) {
			t.Fatalf("%d of %d bytes: %v, want ErrDamaged", length, len(good), err)
		}
	}
	put(t, path, append(bytes.Clone(good), 0))
	wantFailure(t, open(), keyring.ErrUnavailable, sealed.ErrDamaged)
	put(t, path, bytes.Repeat([]byte{0}, 2<<20))
	wantFailure(t, open(), keyring.ErrUnavailable, sealed.ErrDamaged)
	put(t, path, nil)
	wantFailure(t, open(), keyring.ErrUnavailable, sealed.ErrDamaged)
}

// TestPartsOfTwoFiles do not make a third, even if both have the same key.
func TestPartsOfTwoFiles(t *testing.T) {
	path, open := oneSecret(t)
	one := read(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	set(t, open(), "a", "other")
	two := read(t, path)
	body := bytes.Index(one, []byte("\n---")) // ends the head of the lock
	mixed := append(bytes.Clone(one[:body]), two[body:]...)
	put(t, path, resum(mixed))
	wantFailure(t, open(), sealed.ErrDamaged)
}

func TestNewerVersionsStayAsTheyAre(t *testing.T) {
	path, open := oneSecret(t)
	newer := read(t, path)
	newer[versionAt] = 2
	put(t, path, newer)
	wantFailure(t, open(), keyring.ErrUnavailable, sealed.ErrNewer)
	if status := open().Probe(t.Context()); status.Availability != keyring.Unavailable || !strings.Contains(status.Detail, "newer version") {
		t.Errorf("Probe = %+v", status)
	}
}

// TestDamagedWithAGenerationBefore: it is named, and not used: it may hold
// what was used up since.
func TestDamagedWithAGenerationBefore(t *testing.T) {
	path, open := oneSecret(t)
	set(t, open(), "a", "newer")
	newest := read(t, path)
	for name, damage := range map[string]func(){
		"torn": func() { put(t, path, newest[:len(newest)/2]) },
		"gone": func() {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
	} {
		damage()
		wantFailure(t, open(), keyring.ErrUnavailable, sealed.ErrDamaged)
		_, err := open().Get(t.Context(), testKey("a"), keyring.NoPrompt)
		command := "mv " + path + ".previous " + path
		if !strings.Contains(err.Error(), "run: "+command+";") || cure.Of(err) != command {
			t.Errorf("%s: the error does not say how to go back: %v", name, err)
		}
		put(t, path, newest)
	}
	want(t, open(), "a", "newer")
	// Both are damaged.
	put(t, path, newest[:40])
	put(t, path+".previous", newest[:40])
	_, err := open().Get(t.Context(), testKey("a"), keyring.NoPrompt)
	if !errors.Is(err, sealed.ErrDamaged) || strings.Contains(err.Error(), ".previous") || cure.Of(err) != "mv "+path+" "+path+".damaged" {
		t.Errorf("Get = %v", err)
	}
	// Going back, as the error says.
	put(t, path, newest)
	set(t, open(), "a", "newest")
	if err := os.Rename(path+".previous", path); err != nil {
		t.Fatal(err)
	}
	want(t, open(), "a", "newer")
}

func TestWrongKeys(t *testing.T) {
	for name, c := range map[string]struct{ right, wrong sealed.Option }{
		"identity":     {sealed.WithIdentityFile(newIdentity(t)), sealed.WithIdentityFile(newIdentity(t))},
		"key file":     {sealed.WithKeyFile(writeFile(t, "key", strings.Repeat("k", 32))), sealed.WithKeyFile(writeFile(t, "key", strings.Repeat("l", 32)))},
		"passphrase":   {passphrase("right"), passphrase("wrong")},
		"another sort": {sealed.WithIdentityFile(newIdentity(t)), sealed.WithKeyFile(writeFile(t, "key", strings.Repeat("k", 32)))},
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			set(t, sealed.New(sealed.WithPath(path), c.right, sealed.WithCheapPassphrase()), "a", "value")
			// The settings would name the right one.
			if err := os.RemoveAll(path + ".conf"); err != nil {
				t.Fatal(err)
			}
			wrong := sealed.New(sealed.WithPath(path), c.wrong, sealed.WithCheapPassphrase())
			wantFailure(t, wrong, keyring.ErrLocked, sealed.ErrWrongKey)
			if name != "passphrase" { // which is not tried
				if status := wrong.Probe(t.Context()); status.Availability != keyring.Unavailable || !strings.Contains(status.Detail, "does not open") {
					t.Errorf("Probe = %+v", status)
				}
			}
			want(t, sealed.New(sealed.WithPath(path), c.right, sealed.WithCheapPassphrase()), "a", "value")
		})
	}
}

// TestCostlyFiles: a file cannot ask for more work than we are willing to do.
func TestCostlyFiles(t *testing.T) {
	path := newPath(t)
	set(t, sealed.New(sealed.WithPath(path), passphrase("x"), sealed.WithWork(4)), "a", "value")
	costly := bytes.Replace(read(t, path), []byte(" 4\n"), []byte(" 9\n"), 1)
	if bytes.Equal(costly, read(t, path)) {
		t.Fatal("the cost was not found in the file")
	}
	two := func(data []byte) []byte { // a digit more, and the length with it
		data = bytes.Replace(data, []byte(" 9\n"), []byte(" 20\n"), 1)
		data[versionAt+4]++
		return resum(data)
	}
	put(t, path, two(costly))
	wantFailure(t, sealed.New(sealed.WithPath(path), passphrase("x")), keyring.ErrUnavailable, sealed.ErrDamaged)
}

func TestFullDiskLeavesTheOldSecret(t *testing.T) {
	path := newPath(t)
	key := writeFile(t, "key", strings.Repeat("k", 32))
	k := sealed.New(sealed.WithPath(path), sealed.WithKeyFile(key))
	set(t, k, "a", "old")
	before := read(t, path)
	out, err := another(t, "full disk", path, key).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "file too large") {
		t.Errorf("Set on a full disk: %v: %s; want the system's error", err, out)
	}
	if !bytes.Equal(read(t, path), before) {
		t.Error("the file has changed")
	}
	if got := files(t, filepath.Dir(path)); got != "sealed.keyring sealed.keyring.conf sealed.keyring.lock" {
		t.Errorf("the folder holds %s", got)
	}
	if err := k.Set(t.Context(), testKey("a"), secret.New("newer"), keyring.NoPrompt); err != nil {
		t.Error(err)
	}
}
