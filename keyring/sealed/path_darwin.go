package sealed

import (
	"errors"
	"os"
	"path/filepath"
)

func dataFolder() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(home) {
		return "", errors.New("could not find your home folder: set HOME to an absolute path")
	}
	return filepath.Join(home, "Library", "Application Support"), nil
}
