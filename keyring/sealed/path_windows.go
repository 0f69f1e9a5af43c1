package sealed

import (
	"errors"
	"os"
	"path/filepath"
)

func dataFolder() (string, error) {
	dir := os.Getenv("LOCALAPPDATA")
	if !filepath.IsAbs(dir) {
		return "", errors.New("could not find your data folder: set LOCALAPPDATA to an absolute path")
	}
	return dir, nil
}
