//go:build unix && !darwin

package folders

import (
	"errors"
	"path/filepath"
)

func config(getenv Getenv) (string, error) { return xdg(getenv, "XDG_CONFIG_HOME", ".config") }

func state(getenv Getenv) (string, error) { return xdg(getenv, "XDG_STATE_HOME", ".local/state") }

func data(getenv Getenv) (string, error) { return xdg(getenv, "XDG_DATA_HOME", ".local/share") }

// xdg: "All paths set in these environment variables must be absolute. If an
// implementation encounters a relative path […] it should consider the path
// invalid and ignore it." (XDG Base Directory Specification)
func xdg(getenv Getenv, variable, below string) (string, error) {
	if dir := getenv(variable); filepath.IsAbs(dir) {
		return filepath.Clean(dir), nil
	}
	home := getenv("HOME")
	if !filepath.IsAbs(home) {
		return "", errors.New("could not find your home folder: set HOME, or " + variable + ", to an absolute path")
	}
	return filepath.Join(home, below), nil
}

// runtime has no folder to fall back to: "The directory MUST be owned by the
// user, and he MUST be the only one having read and write access to it."
func runtime(getenv Getenv) (string, error) {
	dir := getenv("XDG_RUNTIME_DIR")
	if !filepath.IsAbs(dir) {
		return "", errors.New("there is no folder for sockets: XDG_RUNTIME_DIR is not set to an absolute path")
	}
	return filepath.Clean(dir), nil
}
