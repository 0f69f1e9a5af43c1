package record

import (
	"errors"
	"os"
	"runtime"

	"github.com/authring/authring/internal/folders"
)

func configHome() (string, error) { return folders.Config(os.Getenv) }

func stateHome() (string, error) { return folders.State(os.Getenv) }

func maestralDataHome() (string, error) {
	if runtime.GOOS == "windows" {
		return "", errors.New("there is no Maestral for Windows whose files could be shared")
	}
	return folders.Data(os.Getenv)
}
