//go:build unix && !darwin

package sealed

import (
	"errors"
	"os"
	"path/filepath"
)

// dataFolder: "All paths set in these environment variables must be absolute.
// If an implementation encounters a relative path […] it should consider the
// path invalid and ignore it." (XDG Base Directory Specification)
func dataFolder() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(home) {
		return "", errors.New("could not find your home folder: set HOME, or XDG_DATA_HOME, to an absolute path")
	}
	return filepath.Join(home, ".local", "share"), nil
}
