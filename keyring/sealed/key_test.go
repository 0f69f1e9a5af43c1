//go:build unix

package sealed_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
	"github.com/authring/authring/secret"
)

// setCredential makes a folder of credentials as systemd does.
func setCredential(t *testing.T, data string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "authring.sealed-key"), []byte(data), 0o400); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
}

func wantStatus(t *testing.T, k *sealed.Keyring, as keyring.Availability, says string) {
	t.Helper()
	status := k.Probe(t.Context())
	if status.Availability != as || !strings.Contains(status.Detail, says) {
		t.Errorf("Probe = %v, %q; want %v, %q", status.Availability, status.Detail, as, says)
	}
}

func TestCredential(t *testing.T) {
	for name, data := range map[string]string{
		"random bytes":  strings.Repeat("\x00\xff\n", 16),
		"base64":        strings.Repeat("abcd", 11) + "\n",
		"age identity":  string(read(t, newIdentity(t))),
		"without break": strings.Repeat("abcd", 11),
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			setCredential(t, data)
			k := sealed.New(sealed.WithPath(path))
			wantStatus(t, k, keyring.Ready, "the credential authring.sealed-key")
			set(t, k, "a", "value")
			want(t, sealed.New(sealed.WithPath(path)), "a", "value")
			// Outside the service there is no key.
			t.Setenv("CREDENTIALS_DIRECTORY", "")
			outside := sealed.New(sealed.WithPath(path))
			wantFailure(t, outside, keyring.ErrLocked)
			wantStatus(t, outside, keyring.Unavailable, "the systemd credential authring.sealed-key")
			// The credential goes before what other settings name.
			setCredential(t, data)
			t.Setenv("AUTHRING_IDENTITY_FILE", filepath.Join(t.TempDir(), "missing"))
			want(t, sealed.New(sealed.WithPath(path)), "a", "value")
		})
	}
}

// TestOrder: of several keys the first seals a new file.
func TestOrder(t *testing.T) {
	identity, key, phrase := newIdentity(t), writeFile(t, "key", strings.Repeat("k", 32)), writeFile(t, "phrase", "x")
	files := []sealed.Option{sealed.WithIdentityFile(identity), sealed.WithKeyFile(key), sealed.WithPassphraseFile(phrase)}
	about := []string{"the identity file " + identity, "the key file " + key, "the passphrase file " + phrase}
	for i := range files {
		path := newPath(t)
		k := sealed.New(append([]sealed.Option{sealed.WithPath(path), sealed.WithCheapPassphrase()}, files[i:]...)...)
		wantStatus(t, k, keyring.Ready, about[i])
		set(t, k, "a", "value")
		// The path of that one is remembered, and opens it.
		again := sealed.New(sealed.WithPath(path), sealed.WithCheapPassphrase())
		wantStatus(t, again, keyring.Ready, about[i])
		want(t, again, "a", "value")
	}
	// What is found, in the same order, comes after what was given.
	path := newPath(t)
	t.Setenv("AUTHRING_IDENTITY_FILE", identity)
	t.Setenv("AUTHRING_KEY_FILE", key)
	wantStatus(t, sealed.New(sealed.WithPath(path)), keyring.Ready, about[0])
	wantStatus(t, sealed.New(sealed.WithPath(path), sealed.WithPassphraseFile(phrase)), keyring.Ready, about[2])
	t.Setenv("AUTHRING_IDENTITY_FILE", "")
	wantStatus(t, sealed.New(sealed.WithPath(path)), keyring.Ready, about[1])
}

// TestNothingSetUp: without a key the file is passed over, and says how to
// have one.
func TestNothingSetUp(t *testing.T) {
	path := newPath(t)
	k := sealed.New(sealed.WithPath(path))
	wantStatus(t, k, keyring.Absent, "--key-file")
	if err := k.Set(t.Context(), testKey("a"), secret.New("x"), keyring.AskUser); !errors.Is(err, keyring.ErrAbsent) {
		t.Errorf("Set = %v, want ErrAbsent", err)
	}
	if _, err := k.Get(t.Context(), testKey("a"), keyring.AskUser); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("Get = %v, want ErrNotFound", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Error("a folder was made")
	}
}

// TestEnvironmentHoldsNoSecret: a secret is not taken from there, whatever the
// variable is called, and what was put in place of a path is not shown.
func TestEnvironmentHoldsNoSecret(t *testing.T) {
	path := newPath(t)
	set(t, sealed.New(sealed.WithPath(path), passphrase("do-not-print-me"), sealed.WithCheapPassphrase()), "a", "value")
	for _, name := range []string{"AUTHRING_PASSPHRASE", "AUTHRING_PASSPHRASE_FILE", "AUTHRING_KEY", "AUTHRING_KEY_FILE", "AUTHRING_IDENTITY_FILE", "AGE_PASSPHRASE"} {
		t.Setenv(name, "do-not-print-me")
	}
	k := sealed.New(sealed.WithPath(path), sealed.WithCheapPassphrase())
	wantFailure(t, k, keyring.ErrLocked)
	_, err := k.Get(t.Context(), testKey("a"), keyring.NoPrompt)
	for _, text := range []string{err.Error(), k.Probe(t.Context()).Detail, sealed.New(sealed.WithPath(path + "2")).Probe(t.Context()).Detail} {
		if strings.Contains(text, "do-not-print-me") || !strings.Contains(text, "not absolute") {
			t.Errorf("it says: %s", text)
		}
	}
}

// TestKeysThatCannotBeUsed: the error names the file, says what is wrong, and
// does not show what it holds; nothing is made.
func TestKeysThatCannotBeUsed(t *testing.T) {
	foreign := writeFile(t, "foreign", strings.Repeat("k", 32))
	if os.Geteuid() == 0 {
		if err := os.Chown(foreign, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	} else if err := os.Chmod(foreign, 0o640); err != nil {
		t.Fatal(err)
	}
	mode := func(path string, mode os.FileMode) string {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		option func(string) sealed.Option
		path   string
		says   string
	}{
		"missing identity":        {sealed.WithIdentityFile, filepath.Join(t.TempDir(), "x"), "no such file"},
		"missing passphrase file": {sealed.WithPassphraseFile, filepath.Join(t.TempDir(), "x"), "no such file"},
		"no bytes of a key":       {sealed.WithKeyFile, writeFile(t, "key", strings.Repeat("\r\n", 32)), "nothing but zeros"},
		"zeros":                   {sealed.WithKeyFile, writeFile(t, "key", strings.Repeat("\x00", 32)), "nothing but zeros"},
		"zeros and a line break":  {sealed.WithKeyFile, writeFile(t, "key", strings.Repeat("\x00", 32)+"\n"), "nothing but zeros"},
		"public half as key":      {sealed.WithKeyFile, writeFile(t, "key", "age1"+strings.Repeat("q", 58)), "public half"},
		"public half":             {sealed.WithIdentityFile, writeFile(t, "id", "age1"+strings.Repeat("q", 58)), "public half"},
		"encrypted identity":      {sealed.WithIdentityFile, writeFile(t, "id", "age-encryption.org/v1\n-> scrypt do-not-print-me 18\n"), "decrypted first"},
		"encrypted as key":        {sealed.WithKeyFile, writeFile(t, "id", "-----BEGIN AGE ENCRYPTED FILE-----\ndo-not-print-me\n"), "decrypted first"},
		"short key":               {sealed.WithKeyFile, writeFile(t, "key", "do-not-print-me"), "at least 32"},
		"empty key":               {sealed.WithKeyFile, writeFile(t, "key", ""), "empty"},
		"empty passphrase":        {sealed.WithPassphraseFile, writeFile(t, "p", "\ndo-not-print-me"), "passphrase is empty"},
		"long passphrase":         {sealed.WithPassphraseFile, writeFile(t, "p", strings.Repeat("x", 5000)), "longer"},
		"large":                   {sealed.WithKeyFile, writeFile(t, "key", strings.Repeat("x", 1<<20)), "larger"},
		"no identity":             {sealed.WithIdentityFile, writeFile(t, "id", "# nothing\n\n"), "no age identity"},
		"another identity":        {sealed.WithIdentityFile, writeFile(t, "id", "# x\ndo-not-print-me\n"), "line 2"},
		"broken identity":         {sealed.WithIdentityFile, writeFile(t, "id", "AGE-SECRET-KEY-1DO-NOT-PRINT-ME\n"), "line 1"},
		"broken plugin identity":  {sealed.WithIdentityFile, writeFile(t, "id", "AGE-PLUGIN-DO-NOT-PRINT-ME\n"), "line 1"},
		"broken identity as key":  {sealed.WithKeyFile, writeFile(t, "id", "AGE-SECRET-KEY-1DO-NOT-PRINT-ME-DO-NOT-PRINT-ME\n"), "line 1"},
		"readable by others":      {sealed.WithKeyFile, mode(writeFile(t, "key", strings.Repeat("k", 32)), 0o644), "chmod 600"},
		"foreign":                 {sealed.WithKeyFile, foreign, "o"},
		"folder":                  {sealed.WithKeyFile, t.TempDir(), "neither a file nor a pipe"},
		"device":                  {sealed.WithKeyFile, "/dev/zero", "neither a file nor a pipe"},
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			k := sealed.New(sealed.WithPath(path), c.option(c.path), sealed.WithCheapPassphrase())
			err := k.Set(t.Context(), testKey("a"), secret.New("value"), keyring.AskUser)
			if !errors.Is(err, keyring.ErrLocked) {
				t.Fatalf("Set = %v, want ErrLocked", err)
			}
			status := k.Probe(t.Context())
			if status.Availability != keyring.Unavailable {
				t.Errorf("Probe = %+v, want unavailable", status)
			}
			for _, text := range []string{err.Error(), status.Detail} {
				if !strings.Contains(text, c.says) || !strings.Contains(text, c.path) || strings.Contains(strings.ToLower(text), "do-not-print-me") {
					t.Errorf("it says: %s; want %q", text, c.says)
				}
			}
			if _, err := os.Stat(path); !os.IsNotExist(err) {
				t.Error("a sealed file was made")
			}
		})
	}
}

// TestKeyFileIsMadeOnce: when it was named and there is nothing yet, and not
// when the sealed file is there already.
func TestKeyFileIsMadeOnce(t *testing.T) {
	path := newPath(t)
	key := filepath.Join(t.TempDir(), "keys", "key")
	k := sealed.New(sealed.WithPath(path), sealed.WithKeyFile(key))
	wantStatus(t, k, keyring.Ready, "new key file")
	if _, err := os.Stat(key); !os.IsNotExist(err) {
		t.Error("to look made the key")
	}
	set(t, k, "a", "value")
	info, err := os.Stat(key)
	if err != nil || info.Mode() != 0o600 || len(read(t, key)) != 44 {
		t.Errorf("the key file: %v, %v", info, err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, sealed.New(sealed.WithPath(path), sealed.WithKeyFile(key)), keyring.ErrLocked)
	if _, err := os.Stat(key); !os.IsNotExist(err) {
		t.Error("another key was made")
	}
	// Who has opened it goes on.
	want(t, k, "a", "value")
	set(t, k, "a", "newer")
	// A key that is only found is never made.
	t.Setenv("AUTHRING_KEY_FILE", key+"2")
	wantStatus(t, sealed.New(sealed.WithPath(path+"2")), keyring.Unavailable, "no such file")
}

// TestPipe: what a shell puts in place of a file can be read only once, and a
// pipe that nobody writes to holds nobody up.
func TestPipe(t *testing.T) {
	path := newPath(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if _, err := writer.WriteString("the passphrase\n"); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join("/dev/fd", fmt.Sprint(reader.Fd()))
	k := sealed.New(sealed.WithPath(path), sealed.WithPassphraseFile(name), sealed.WithCheapPassphrase())
	wantStatus(t, k, keyring.Ready, name)
	set(t, k, "a", "value")
	want(t, sealed.New(sealed.WithPath(path), passphrase("the passphrase"), sealed.WithCheapPassphrase()), "a", "value")

	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	k = sealed.New(sealed.WithPath(path), sealed.WithPassphraseFile(fifo), sealed.WithCheapPassphrase())
	go func() {
		_, err := k.Get(ctx, testKey("a"), keyring.NoPrompt)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v, want context.Canceled", err)
	}
}

// TestNamedPipe: one that nobody has opened for writing yet is waited for, and
// found empty only once somebody did, and wrote nothing.
func TestNamedPipe(t *testing.T) {
	path := newPath(t)
	set(t, sealed.New(sealed.WithPath(path), passphrase("the passphrase"), sealed.WithCheapPassphrase()), "a", "value")
	for text, says := range map[string]string{"the passphrase\n": "", "": "it is empty"} {
		fifo := filepath.Join(t.TempDir(), "fifo")
		if err := unix.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		k := sealed.New(sealed.WithPath(path), sealed.WithPassphraseFile(fifo), sealed.WithCheapPassphrase())
		done := make(chan error, 1)
		go func() {
			_, err := k.Get(t.Context(), testKey("a"), keyring.NoPrompt)
			done <- err
		}()
		writer, err := os.OpenFile(fifo, os.O_WRONLY, 0) // returns when the pipe is read
		if err != nil {
			t.Fatal(err)
		}
		if _, err := writer.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("after %q: Get = %v, want %q", text, err, says)
		}
	}

	// Nobody ever comes.
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(10*time.Millisecond))
	defer cancel()
	_, err := sealed.New(sealed.WithPath(path), sealed.WithPassphraseFile(fifo)).Get(ctx, testKey("a"), keyring.NoPrompt)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "not opened in time") {
		t.Errorf("Get = %v, want that the time is over", err)
	}
}

// TestKeyThatIsTheSealedFile is refused before anything is written there.
func TestKeyThatIsTheSealedFile(t *testing.T) {
	path := newPath(t)
	for _, beside := range []string{"", ".previous", ".conf", ".lock"} {
		for _, option := range []func(string) sealed.Option{sealed.WithKeyFile, sealed.WithIdentityFile, sealed.WithPassphraseFile} {
			k := sealed.New(sealed.WithPath(path), option(path+beside))
			err := k.Set(t.Context(), testKey("a"), secret.New("value"), keyring.NoPrompt)
			if !errors.Is(err, keyring.ErrLocked) || !strings.Contains(err.Error(), "belongs to it") {
				t.Errorf("%s: Set = %v", beside, err)
			}
		}
	}
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("the folder holds %s", files(t, filepath.Dir(path)))
	}
}

// TestCredentialOutOfReach is not taken for none.
func TestCredentialOutOfReach(t *testing.T) {
	path := newPath(t)
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Join(writeFile(t, "not-a-folder", ""), "inside"))
	wantStatus(t, sealed.New(sealed.WithPath(path)), keyring.Unavailable, "credential authring.sealed-key")
}

// TestSettingsThatCannotBeRead are said, and not overwritten.
func TestSettingsThatCannotBeRead(t *testing.T) {
	path, open := oneSecret(t)
	writeConf := func(text string) {
		if err := os.WriteFile(path+".conf", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeConf("no section\n")
	want(t, open(), "a", "value") // the option names the key
	k := sealed.New(sealed.WithPath(path))
	wantFailure(t, k, keyring.ErrLocked)
	wantStatus(t, k, keyring.Unavailable, "line 1")
	if string(read(t, path+".conf")) != "no section\n" {
		t.Error("the settings were overwritten")
	}
	writeConf("[sealed]\nidentity = relative\nother = kept\n")
	wantStatus(t, sealed.New(sealed.WithPath(path)), keyring.Unavailable, "not absolute")
	if err := os.Chmod(path+".conf", 0o666); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, sealed.New(sealed.WithPath(path)), keyring.Unavailable, "chmod 600")
}
