package record

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func configHome() (string, error) { return appFolder("AppData") }

func stateHome() (string, error) { return appFolder("LocalAppData") }

func maestralDataHome() (string, error) {
	return "", errors.New("there is no Maestral for Windows whose files could be shared")
}

func appFolder(variable string) (string, error) {
	dir := os.Getenv(variable)
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("could not find your settings folder: set %%%s%% to an absolute path", variable)
	}
	return filepath.Clean(dir), nil
}
