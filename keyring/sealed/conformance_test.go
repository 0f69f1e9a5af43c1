package sealed_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/sealed"
	"github.com/authring/authring/secret"
)

// newPath returns a file that is not there yet, in a folder that is not there
// yet, and keeps everything of the caller's environment away.
func newPath(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"CREDENTIALS_DIRECTORY", "AUTHRING_IDENTITY_FILE", "AUTHRING_KEY_FILE", "AUTHRING_PASSPHRASE_FILE"} {
		t.Setenv(name, "")
	}
	return filepath.Join(t.TempDir(), "authring", "sealed.keyring")
}

// writeFile writes a private file and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// newIdentity writes an age identity and returns its file.
func newIdentity(t *testing.T) string {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "identity", "# created: once\n# public key: "+identity.Recipient().String()+"\n"+identity.String()+"\n")
}

// resum makes the checksum right again, as whoever changes a file on purpose
// would.
func resum(data []byte) []byte {
	whole := len(data) - sha256.Size
	sum := sha256.Sum256(data[:whole])
	return append(bytes.Clone(data[:whole]), sum[:]...)
}

// testdata reads a file of this version that is kept.
func testdata(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// passphrase gives text without asking.
func passphrase(text string) sealed.Option {
	return sealed.WithPassphrase(func(context.Context) (secret.Secret, error) { return secret.New(text), nil })
}

func TestConformance(t *testing.T) {
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for name, option := range map[string]sealed.Option{
		"key file":        sealed.WithKeyFile(filepath.Join(t.TempDir(), "keys", "new")),
		"identity":        sealed.WithIdentityFile(newIdentity(t)),
		"hybrid identity": sealed.WithIdentityFile(writeFile(t, "hybrid", hybrid.String())),
		"passphrase":      passphrase("correct horse"),
		"passphrase file": sealed.WithPassphraseFile(writeFile(t, "passphrase", "correct horse\r\n")),
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			matrix.Run(t, matrix.Behind{How: matrix.File, Name: name}, func(*testing.T) keyring.Keyring {
				return sealed.New(sealed.WithPath(path), option, sealed.WithCheapPassphrase())
			})
		})
	}
}

// TestFilesOfVersion1 can be read by every version to come.
func TestFilesOfVersion1(t *testing.T) {
	path := newPath(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, testdata(t, "v1.keyring"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := sealed.New(sealed.WithPath(path), sealed.WithKeyFile(writeFile(t, "key", string(testdata(t, "v1.key")))))
	for user, value := range map[string]string{"config:default:dbid:AAAA": "the first", "config:work:dbid:BBBB": "the second\n"} {
		got, err := k.Get(t.Context(), keyring.Key{Service: "authring", User: user}, keyring.NoPrompt)
		if err != nil || got.Reveal() != value {
			t.Errorf("Get(%q) = %q, %v; want %q", user, got.Reveal(), err, value)
		}
	}
}
