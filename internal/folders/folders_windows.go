package folders

import (
	"errors"
	"path/filepath"
)

func config(getenv Getenv) (string, error) { return appFolder(getenv, "AppData") }

func state(getenv Getenv) (string, error) { return appFolder(getenv, "LocalAppData") }

func data(getenv Getenv) (string, error) { return appFolder(getenv, "LocalAppData") }

func runtime(getenv Getenv) (string, error) { return appFolder(getenv, "LocalAppData") }

func appFolder(getenv Getenv, variable string) (string, error) {
	dir := getenv(variable)
	if !filepath.IsAbs(dir) {
		return "", errors.New("could not find your settings folder: set %" + variable + "% to an absolute path")
	}
	return filepath.Clean(dir), nil
}
