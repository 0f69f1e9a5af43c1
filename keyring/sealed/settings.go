package sealed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/ini"
	"github.com/authring/authring/internal/privatefile"
)

// setting is a path to a key: its name in the file of settings, the
// environment variable that may hold it, and what people call what is there.
type setting struct{ name, variable, about string }

// The settings, in the order in which they are looked at. None ever holds a
// secret.
var (
	identityFile   = setting{"identity", "AUTHRING_IDENTITY_FILE", "identity file"}
	keyFile        = setting{"key-file", "AUTHRING_KEY_FILE", "key file"}
	passphraseFile = setting{"passphrase-file", "AUTHRING_PASSPHRASE_FILE", "passphrase file"}
)

const (
	settingsSection = "sealed"
	maxSettings     = 64 << 10
	// credentialsFolder is set by systemd for services that have credentials
	// (systemd.exec(5), LoadCredential=).
	credentialsFolder = "CREDENTIALS_DIRECTORY"
	// CredentialName is what the systemd credential is called that holds a
	// key.
	CredentialName = "authring.sealed-key"
)

// settingsPath is beside the sealed file.
func settingsPath(path string) string { return path + ".conf" }

// found returns the path of a setting as the environment, or else the file of
// settings, has it.
func (s setting) found(file *ini.File) string {
	if value := os.Getenv(s.variable); value != "" {
		return value
	}
	value, _ := file.Get(settingsSection, s.name)
	return value
}

// loadSettings reads the settings of the sealed file at path.
func loadSettings(path string) (*ini.File, error) {
	data, err := privatefile.Read(settingsPath(path), maxSettings)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	file, err := ini.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("could not read %s: %w", settingsPath(path), err)
	}
	return file, nil
}

// remember writes which key a new file was sealed with, so that nobody has to
// name it again. A path that does not fit a line is not remembered.
func remember(path string, key *source) error {
	if key.setting.name == "" || strings.ContainsFunc(key.path, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return nil
	}
	file, err := loadSettings(path)
	if err != nil {
		return err
	}
	for _, s := range []setting{identityFile, keyFile, passphraseFile} {
		file.Delete(settingsSection, s.name)
	}
	file.Set(settingsSection, key.setting.name, key.path)
	data, err := file.Bytes()
	if err != nil {
		return err
	}
	return atomicfile.Write(settingsPath(path), data, 0o600)
}
