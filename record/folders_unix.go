//go:build unix && !darwin

package record

import (
	"fmt"
	"os"
	"path/filepath"
)

func configHome() (string, error) { return xdgFolder("XDG_CONFIG_HOME", ".config") }

func stateHome() (string, error) { return xdgFolder("XDG_STATE_HOME", ".local", "state") }

func maestralDataHome() (string, error) { return xdgFolder("XDG_DATA_HOME", ".local", "share") }

// xdgFolder: "All paths set in these environment variables must be absolute.
// If an implementation encounters a relative path […] it should consider the
// path invalid and ignore it." (XDG Base Directory Specification)
func xdgFolder(variable string, below ...string) (string, error) {
	if dir := os.Getenv(variable); filepath.IsAbs(dir) {
		return filepath.Clean(dir), nil
	}
	home := os.Getenv("HOME")
	if !filepath.IsAbs(home) {
		return "", fmt.Errorf("could not find your home folder: set HOME, or %s, to an absolute path", variable)
	}
	return filepath.Join(append([]string{home}, below...)...), nil
}
