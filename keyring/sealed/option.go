package sealed

import (
	"context"
	"path/filepath"

	"filippo.io/age/plugin"

	"github.com/authring/authring/secret"
)

// Option changes how a [Keyring] works. Relative paths are taken from the
// working folder.
type Option func(*Keyring)

// WithPath keeps the secrets in another file.
func WithPath(path string) Option {
	return func(k *Keyring) { k.find = func() (string, error) { return filepath.Abs(path) } }
}

// WithIdentityFile names a file of age identities, such as age-keygen and the
// plugins of age make.
func WithIdentityFile(path string) Option { return withFile(identityFile, path) }

// WithKeyFile names a file of random bytes. If a sealed file is to be made and
// the key file is not there, it is made too.
func WithKeyFile(path string) Option { return withFile(keyFile, path) }

// WithPassphraseFile names a file whose first line is a passphrase.
func WithPassphraseFile(path string) Option { return withFile(passphraseFile, path) }

func withFile(s setting, path string) Option {
	return func(k *Keyring) {
		if path == "" {
			return
		}
		if abs, err := filepath.Abs(path); err == nil {
			path = abs
		}
		k.given[s.name] = path
	}
}

// WithPassphrase has get give the passphrase without asking anybody; it is
// called at each try and may block until its context ends.
func WithPassphrase(get func(context.Context) (secret.Secret, error)) Option {
	return func(k *Keyring) { k.passphrase = get }
}

// Question is what a person is asked a passphrase for.
type Question struct {
	Path  string // of the sealed file
	New   bool   // it is to be made: have the answer repeated
	Again bool   // the answer before was wrong
}

// WithPassphrasePrompt has ask ask a person, once no other key fits and if the
// caller's [keyring.Prompt] allows it, for as long as that says. An empty
// answer, or an error, is a refusal.
func WithPassphrasePrompt(ask func(context.Context, Question) (secret.Secret, error)) Option {
	return func(k *Keyring) { k.ask = ask }
}

// WithPluginUI answers what plugins of age ask, if the caller's
// [keyring.Prompt] allows it. Without it they are refused.
func WithPluginUI(ui *plugin.ClientUI) Option {
	return func(k *Keyring) { k.ui = ui }
}
