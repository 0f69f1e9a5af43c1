//go:build unix

package plaintext

import (
	"fmt"
	"os"
	"path/filepath"
)

// defaultPath follows keyring/util/platform_.py, which has a rule of its own
// for Windows only.
func defaultPath() (string, error) {
	root, err := homeFolder("XDG_DATA_HOME")
	if err != nil {
		return "", err
	}
	if root == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no home folder: %w", err)
		}
		root = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(root, "python_keyring", "keyring_pass.cfg"), nil
}
