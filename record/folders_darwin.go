package record

import (
	"errors"
	"os"
	"path/filepath"
)

func configHome() (string, error) {
	home := os.Getenv("HOME")
	if !filepath.IsAbs(home) {
		return "", errors.New("could not find your home folder: set HOME to an absolute path")
	}
	return filepath.Join(home, "Library", "Application Support"), nil
}

func stateHome() (string, error) { return configHome() }

func maestralDataHome() (string, error) { return configHome() }
