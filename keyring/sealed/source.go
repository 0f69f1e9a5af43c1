package sealed

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"filippo.io/age/plugin"

	"github.com/authring/authring/internal/ini"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// source is where a key may come from without anybody being asked for it.
type source struct {
	about      string // what people call it
	setting    setting
	path       string
	passphrase bool // what it gives is a passphrase
	given      bool // by the program, not found
	// unseen is set where a look would use it up, or take a while.
	unseen bool
	read   func(context.Context) (*material, error)
}

// sources lists them in order: a systemd credential, age identities, a key
// file, a passphrase; what the program gave before what is found.
func (k *Keyring) sources(path string, prompt keyring.Prompt) []*source {
	ui := &plugin.ClientUI{} // refuses all questions of plugins
	if prompt > keyring.NoPrompt && k.ui != nil {
		ui = k.ui
	}
	var list []*source
	add := func(s setting, at string, given bool) {
		if at != "" {
			list = append(list, k.fileSource(s, at, given, ui))
		}
	}
	for _, s := range []setting{identityFile, keyFile, passphraseFile} {
		add(s, k.given[s.name], true)
	}
	if k.passphrase != nil {
		list = append(list, &source{
			about: "the passphrase", passphrase: true, given: true, unseen: true,
			read: func(ctx context.Context) (*material, error) { return k.fromCaller(ctx, k.passphrase) },
		})
	}
	if dir := os.Getenv(credentialsFolder); dir != "" {
		at := filepath.Join(dir, CredentialName)
		// One that is there and cannot be read is not passed over.
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) {
			s := k.fileSource(keyFile, at, false, ui)
			s.about, s.setting = "the credential "+CredentialName, setting{}
			list = append(list, s)
		}
	}
	file, err := loadSettings(path)
	if err != nil {
		broken := func(context.Context) (*material, error) { return nil, err }
		for _, passphrase := range []bool{false, true} {
			list = append(list, &source{about: "the settings", passphrase: passphrase, read: broken})
		}
		file = &ini.File{}
	}
	for _, s := range []setting{identityFile, keyFile, passphraseFile} {
		if at := s.found(file); k.given[s.name] == "" {
			add(s, at, false)
		}
	}
	return list
}

// fileSource is a key in a file. What is not a path is not repeated: somebody
// may have put the secret itself there.
func (k *Keyring) fileSource(s setting, at string, given bool, ui *plugin.ClientUI) *source {
	about := "the " + s.about
	if filepath.IsAbs(at) {
		about += " " + at
	}
	return &source{
		about: about, setting: s, path: at, passphrase: s == passphraseFile, given: given,
		read: func(ctx context.Context) (*material, error) {
			if k.isOwn(at) {
				return nil, errors.New("that file is the sealed file itself, or belongs to it")
			}
			data, err := k.pipes.read(ctx, at)
			switch {
			case err != nil:
				return nil, err
			case s == passphraseFile:
				return newPassphrase(firstLine(data), k.work)
			case s == identityFile:
				return newIdentities(data, ui)
			default:
				return newKey(data, ui)
			}
		},
	}
}

// isOwn reports whether a path is that of the sealed file, or of one beside it.
func (k *Keyring) isOwn(at string) bool {
	path, err := k.Path()
	own := []string{path, previousPath(path), settingsPath(path), lockPath(path)}
	return err == nil && slices.Contains(own, filepath.Clean(at))
}

// fromCaller makes material of a passphrase that the program gave.
func (k *Keyring) fromCaller(ctx context.Context, get func(context.Context) (secret.Secret, error)) (*material, error) {
	text, err := get(ctx)
	if err != nil {
		return nil, err
	}
	return newPassphrase(text.Reveal(), k.work)
}
