package wincred

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/danieljoos/wincred"
)

// systemVault is the store of the user whose process this is.
type systemVault struct{}

func (systemVault) read(target string) (item, error) {
	c, err := wincred.GetGenericCredential(target)
	if err != nil {
		return item{}, translate(err)
	}
	return item{target: target, user: c.UserName, comment: c.Comment, blob: c.CredentialBlob}, nil
}

func (systemVault) write(i item) error {
	// New credentials stay on the local machine: a refresh token does not
	// roam with a domain profile.
	c := wincred.NewGenericCredential(i.target)
	c.UserName, c.Comment, c.CredentialBlob = i.user, i.comment, i.blob
	return c.Write()
}

func (systemVault) remove(target string) error {
	return translate(wincred.NewGenericCredential(target).Delete())
}

func (systemVault) list(prefix string) ([]string, error) {
	found, err := wincred.FilteredList(prefix + "*")
	if err != nil {
		return nil, err
	}
	var targets []string
	for _, c := range found {
		targets = append(targets, c.TargetName)
	}
	return targets, nil
}

func translate(err error) error {
	if errors.Is(err, wincred.ErrElementNotFound) {
		return errNoItem
	}
	return err
}

// lockPath is the same for all programs of this package, as their store is.
func lockPath() (string, error) {
	dir := os.Getenv("LocalAppData")
	if !filepath.IsAbs(dir) {
		return "", errors.New("could not find a folder for the writers' lock: set %LocalAppData% to an absolute path")
	}
	return filepath.Join(dir, "authring", "wincred.lock"), nil
}
