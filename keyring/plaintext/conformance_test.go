package plaintext_test

import (
	"path/filepath"
	"testing"

	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/plaintext"
)

func TestConformance(t *testing.T) {
	path := filepath.Join(t.TempDir(), "python_keyring", "keyring_pass.cfg")
	matrix.Run(t, matrix.Behind{How: matrix.File, Name: "file"}, func(*testing.T) keyring.Keyring {
		return plaintext.New(plaintext.WithPath(path))
	})
}
