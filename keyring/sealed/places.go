package sealed

import (
	"path/filepath"

	"github.com/authring/authring/keyring"
)

// KeyFiles names the files in which a key is looked for, in order. None of them
// is read. What is set up and is no absolute path is left out: somebody may
// have put the secret itself there.
func (k *Keyring) KeyFiles() []string {
	path, err := k.Path()
	if err != nil {
		return nil
	}
	var files []string
	for _, s := range k.sources(path, keyring.NoPrompt) {
		if filepath.IsAbs(s.path) {
			files = append(files, s.path)
		}
	}
	return files
}

// Previous names the file of the generation before the one in use, or is empty
// where [Keyring.Path] fails.
func (k *Keyring) Previous() string {
	path, err := k.Path()
	if err != nil {
		return ""
	}
	return previousPath(path)
}
