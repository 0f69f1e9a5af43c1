package record

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/secret"
)

const (
	// fingerprintKeySize is that of the hash, in bytes.
	fingerprintKeySize = 32
	// fingerprintSize is how much of the hash is kept, in bytes: enough to
	// tell the tokens of one link apart.
	fingerprintSize = 6
)

// Fingerprints names tokens without showing them: a keyed hash, cut short. The
// key is a file of this machine's user, so that a fingerprint that was copied
// into a bug report tells nobody anything about the token.
type Fingerprints struct{ key []byte }

// Fingerprints returns the namer of tokens of this layout, and makes its key at
// the first use. Where the key can be neither read nor made the error says so,
// and the namer returned names every token "".
func (l Layout) Fingerprints() (Fingerprints, error) {
	if l.app == "" {
		return Fingerprints{}, l.check("")
	}
	path := filepath.Join(l.state, "fingerprint.key")
	key, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKey(path); err == nil {
			key, err = readKey(path)
		}
	}
	if err != nil {
		return Fingerprints{}, fmt.Errorf("could not name tokens: %w", err)
	}
	return Fingerprints{key: key}, nil
}

// readKey reads a key that nobody else can know.
func readKey(path string) ([]byte, error) {
	key, info, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	reason := exposed(info)
	if len(key) != fingerprintKeySize {
		reason = "is not a key for fingerprints"
	}
	if reason != "" {
		return nil, &FileError{Path: path, Reason: reason + "; remove it to have a new one"}
	}
	return key, nil
}

// makeKey makes the key unless another process is quicker.
func makeKey(path string) error {
	dir := filepath.Dir(path)
	if err := atomicfile.MakeFolder(dir); err != nil {
		return err
	}
	key := make([]byte, fingerprintKeySize)
	_, _ = rand.Read(key) // never fails
	temp, err := os.CreateTemp(dir, ".fingerprint.*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(key)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, fails where the name is taken.
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// What is named by it must not outlive it.
	return atomicfile.SyncFolder(dir)
}

// Of names a token: twelve hexadecimal digits, "" for no token.
func (f Fingerprints) Of(token secret.Secret) string {
	if token.IsZero() || f.key == nil {
		return ""
	}
	mac := hmac.New(sha256.New, f.key)
	mac.Write([]byte(token.Reveal()))
	return hex.EncodeToString(mac.Sum(nil)[:fingerprintSize])
}
