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
	"context"
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
	if err := checkKey(key); err != nil {
		return secret.Secret{}, err
	}
	held, err := k.contents(ctx, prompt)
	if err != nil {
		return secret.Secret{}, err
	}
	return held.get(key)
}

// Keys names the secrets that the file holds, in no order. The errors are those
// of [Keyring.Get]; no file holds none.
func (k *Keyring) Keys(ctx context.Context, prompt keyring.Prompt) ([]keyring.Key, error) {
	held, err := k.contents(ctx, prompt)
	if err != nil {
		return nil, k.fail("list", err)
	}
	var keys []keyring.Key
	for _, i := range held.Items {
		keys = append(keys, keyring.Key{Service: i.Service, User: i.User})
	}
	return keys, nil
}

// contents reads what the file holds; no file holds nothing.
func (k *Keyring) contents(ctx context.Context, prompt keyring.Prompt) (*contents, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, err := k.Path()
	if err != nil {
		return nil, err
	}
	_, c, err := load(path)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return &contents{}, nil
	}
	held, _, err := k.read(ctx, path, c, prompt)
	return held, err
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
