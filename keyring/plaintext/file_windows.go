package plaintext

import (
	"errors"
	"path/filepath"
)

// defaultPath follows keyring/util/platform_.py.
func defaultPath() (string, error) {
	for _, variable := range []string{"LOCALAPPDATA", "ProgramData"} {
		root, err := homeFolder(variable)
		if err != nil {
			return "", err
		}
		if root != "" {
			return filepath.Join(root, "Python Keyring", "keyring_pass.cfg"), nil
		}
	}
	return "", errors.New("LOCALAPPDATA is not set")
}
