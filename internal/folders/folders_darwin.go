package folders

import (
	"errors"
	"path/filepath"
)

func config(getenv Getenv) (string, error) {
	home := getenv("HOME")
	if !filepath.IsAbs(home) {
		return "", errors.New("could not find your home folder: set HOME to an absolute path")
	}
	return filepath.Join(home, "Library", "Application Support"), nil
}

func state(getenv Getenv) (string, error) { return config(getenv) }

func data(getenv Getenv) (string, error) { return config(getenv) }

// runtime is not $TMPDIR, which belongs to the user as well and is another one
// for a program that a login agent has started.
func runtime(getenv Getenv) (string, error) { return config(getenv) }
