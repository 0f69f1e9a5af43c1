// Package sealed keeps secrets in an encrypted file, for machines without a
// keyring of their own:
//
//	$XDG_DATA_HOME/authring/sealed.keyring                       (~/.local/share without it)
//	~/Library/Application Support/authring/sealed.keyring        (macOS)
//	%LOCALAPPDATA%\authring\sealed.keyring                       (Windows)
//
// # Keys
//
// The file is opened with the first of these that fits, and sealed, when it is
// made, with the first that is there:
//
//   - the systemd credential authring.sealed-key, in $CREDENTIALS_DIRECTORY:
//     at least 32 random bytes, or an age identity;
//   - age identities in a file, one a line, those of plugins (TPM, YubiKey)
//     among them: [WithIdentityFile];
//   - a file of at least 32 random bytes, or an age identity: [WithKeyFile];
//   - a passphrase: [WithPassphraseFile], [WithPassphrase], or asked for:
//     [WithPassphrasePrompt].
//
// What an option names goes before what is found. Found are the credential,
// and the paths in AUTHRING_IDENTITY_FILE, AUTHRING_KEY_FILE and
// AUTHRING_PASSPHRASE_FILE or, without them, in the settings beside the file,
// which remember what an option named when the file was made. No secret is
// ever taken from an environment variable.
//
// # Format and protection
//
// The key of the contents is random. It is wrapped once, in an age file, for
// the key or passphrase above; that makes the lock at the head of the sealed
// file. Contents and head are encrypted and authenticated with
// XChaCha20-Poly1305. A secret that changes costs neither a passphrase nor a
// plugin again.
//
// The names of the items are encrypted too. The size of the file, and the kind
// of key that opens it, are not hidden. Whoever can write the file can put an
// older one in its place, or, knowing only the public half of an age identity,
// one of their own; a file sealed with a passphrase or random bytes can be
// made by those who know them only.
//
// # Writing
//
// As package plaintext does: replaced as a whole and synced, under a lock, 0600
// always, refused where somebody else may read or change it. The generation
// before the present one stays beside it until the next change, or until a
// secret is deleted. It is never read in place of the present one, not even if
// that is damaged. With the last secret the file goes.
package sealed

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"sync"

	"filippo.io/age/plugin"

	"github.com/authring/authring/internal/bounded"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// Keyring is one sealed file. It is safe for concurrent use, by several
// processes too. The key that was found is kept for as long as the Keyring
// lives.
type Keyring struct {
	find       func() (string, error)
	given      map[string]string // paths by the name of their setting
	passphrase func(context.Context) (secret.Secret, error)
	ask        func(context.Context, Question) (secret.Secret, error)
	ui         *plugin.ClientUI
	work       int

	once    sync.Once
	path    string
	pathErr error

	turn  *bounded.Calls // of those that look for the key
	pipes pipes

	mu       sync.Mutex
	opened   *opened
	prepared *prepared
}

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

// New returns the sealed file of this user. It touches no file.
func New(opts ...Option) *Keyring {
	k := &Keyring{find: defaultPath, given: map[string]string{}, work: writeWork, turn: bounded.NewCalls(1)}
	for _, opt := range opts {
		opt(k)
	}
	return k
}

func defaultPath() (string, error) {
	dir, err := dataFolder()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "authring", "sealed.keyring"), nil
}

// ID returns [keyring.Sealed].
func (k *Keyring) ID() keyring.ID { return keyring.Sealed }

// Path returns the file. The error says which variable is missing or wrong.
func (k *Keyring) Path() (string, error) {
	k.once.Do(func() { k.path, k.pathErr = k.find() })
	return k.path, k.pathErr
}

// Get returns the secret of key. The error is [keyring.ErrLocked], with
// [ErrWrongKey] where there was a key that does not fit, or
// [keyring.ErrUnavailable], with [ErrDamaged] or [ErrNewer] where that is why.
func (k *Keyring) Get(ctx context.Context, key keyring.Key, prompt keyring.Prompt) (secret.Secret, error) {
	value, err := k.get(ctx, key, prompt)
	return value, k.fail("read", err)
}

func (k *Keyring) get(ctx context.Context, key keyring.Key, prompt keyring.Prompt) (secret.Secret, error) {
	if err := ctx.Err(); err != nil {
		return secret.Secret{}, err
	}
	if err := checkKey(key); err != nil {
		return secret.Secret{}, err
	}
	path, err := k.Path()
	if err != nil {
		return secret.Secret{}, err
	}
	_, c, err := load(path)
	if err != nil {
		return secret.Secret{}, err
	}
	if c == nil {
		return secret.Secret{}, errNoItem
	}
	held, _, err := k.read(ctx, path, c, prompt)
	if err != nil {
		return secret.Secret{}, err
	}
	return held.get(key)
}

// read decrypts the contents, and returns the key as well.
func (k *Keyring) read(ctx context.Context, path string, c *container, prompt keyring.Prompt) (*contents, []byte, error) {
	key, err := k.key(ctx, path, c.lock, prompt)
	if err != nil {
		return nil, nil, withWayOut(path, err)
	}
	plain, err := c.open(key)
	if err != nil {
		return nil, nil, withWayOut(path, err)
	}
	held, err := decode(plain)
	return held, key, err
}

// Set stores the secret durably; the file before it stays as it was until the
// new one has its place.
func (k *Keyring) Set(ctx context.Context, key keyring.Key, value secret.Secret, prompt keyring.Prompt) error {
	edit := func(c *contents) error { return c.set(key, value) }
	return k.fail("write", k.change(ctx, key, prompt, true, edit))
}

// Delete removes the secret of key, from the generation before too.
func (k *Keyring) Delete(ctx context.Context, key keyring.Key, prompt keyring.Prompt) error {
	edit := func(c *contents) error { return c.remove(key) }
	return k.fail("delete from", k.change(ctx, key, prompt, false, edit))
}

// Unlock implements [keyring.Unlocker]: it finds the key, or the
// one that a new file is to be sealed with. Nothing is written but a key file.
func (k *Keyring) Unlock(ctx context.Context, prompt keyring.Prompt) error {
	return k.fail("open", k.unlock(ctx, prompt))
}

func (k *Keyring) unlock(ctx context.Context, prompt keyring.Prompt) error {
	path, err := k.Path()
	if err != nil {
		return err
	}
	_, c, err := load(path)
	if err != nil {
		return err
	}
	if c == nil {
		_, err = k.prepare(ctx, path, prompt)
		return err
	}
	_, _, err = k.read(ctx, path, c, prompt)
	return err
}

// replaced is how often a file may be made anew by others, under another key,
// while we look for the key of the one before.
const replaced = 5

// change reads, edits and replaces the file while nobody else does.
func (k *Keyring) change(ctx context.Context, key keyring.Key, prompt keyring.Prompt, mayMake bool, edit func(*contents) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkKey(key); err != nil {
		return err
	}
	path, err := k.Path()
	if err != nil {
		return err
	}
	for range replaced {
		if done, err := k.tryChange(ctx, path, prompt, mayMake, edit); done || err != nil {
			return err
		}
	}
	return errors.New("other processes make the file anew again and again")
}

// tryChange reports false if the file is no longer under the lock for which it
// found the key. Keys are looked for, and people asked, before other writers
// are kept waiting.
func (k *Keyring) tryChange(ctx context.Context, path string, prompt keyring.Prompt, mayMake bool, edit func(*contents) error) (bool, error) {
	_, before, err := load(path)
	if err != nil {
		return false, err
	}
	var lock, key []byte
	var from *source
	if before == nil {
		if !mayMake {
			return false, errNoItem
		}
		made, err := k.prepare(ctx, path, prompt)
		if err != nil {
			return false, err
		}
		lock, key, from = made.lock, made.key, made.source
	} else {
		// Edited once before a lock file is made: what will be refused, or
		// has nothing to delete, leaves no trace.
		held, opened, err := k.read(ctx, path, before, prompt)
		if err != nil {
			return false, err
		}
		if err := edit(held); err != nil {
			return false, err
		}
		lock, key = before.lock, opened
	}
	writing, err := acquire(ctx, path)
	if err != nil {
		return false, err
	}
	defer func() { _ = writing.Release() }()
	old, now, err := load(path)
	if err != nil {
		return false, err
	}
	if (now == nil) != (before == nil) || now != nil && !bytes.Equal(now.lock, lock) {
		return false, nil
	}
	held := &contents{}
	if now != nil {
		if held, _, err = k.read(ctx, path, now, prompt); err != nil {
			return false, err
		}
	} else if from != nil && from.given {
		if err := remember(path, from); err != nil {
			return false, err
		}
	}
	if err := edit(held); err != nil {
		return false, err
	}
	if err := k.write(path, old, lock, key, held, mayMake); err != nil {
		return false, err
	}
	return true, nil
}

// write puts contents in the place of old. If something was deleted, the
// generation that still has it goes too.
func (k *Keyring) write(path string, old, lock, key []byte, held *contents, keepsAll bool) error {
	if len(held.Items) == 0 {
		return remove(path)
	}
	held.Generation++
	plain, err := held.encode()
	if err != nil {
		return err
	}
	data, err := seal(lock, key, plain)
	if err != nil {
		return err
	}
	if err := save(path, old, data); err != nil {
		return err
	}
	if old == nil {
		k.keep(lock, key)
		k.mu.Lock()
		k.prepared = nil
		k.mu.Unlock()
	}
	if keepsAll {
		return nil
	}
	return removePrevious(path)
}
