package plaintext

import (
	"errors"
	"os"
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

func open(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New(path + " is not a regular file")
	}
	return os.Open(path)
}

func checkFolder(string) error { return nil }

func writable(string) error { return nil }
