// Package plaintext keeps secrets in a file that is not encrypted, in the
// format and at the place of PlaintextKeyring of Python's keyrings.alt, so
// that both read what the other wrote:
//
//	$XDG_DATA_HOME/python_keyring/keyring_pass.cfg      (~/.local/share without it)
//	%LOCALAPPDATA%\Python Keyring\keyring_pass.cfg      (Windows)
//
// Unlike there, the file is replaced as a whole and synced, under a lock that
// other processes of this package respect (Python takes none: of two writers
// at one instant, one of them Python, the later wins); it is 0600 always, and
// refused where somebody else may read or change it. On Windows the rights of
// the user's folder protect it, and are not checked.
//
// # Names that differ in case
//
// The format spells user names in lower case, so that dbid:AAAA and dbid:aaaa
// share one entry, and Python overwrites the one with the other. Here the
// exact name is kept beside each entry, in a section that Python preserves
// and does not look at. A secret is not handed out, overwritten or deleted
// under a name that differs from the exact one. What Python wrote has no exact
// name: it belongs to whoever asks, as it does in Python.
package plaintext

import (
	"context"
	"errors"
	"sync"

	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/internal/privatefile"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// Keyring is one file. It is safe for concurrent use, by several processes
// too.
type Keyring struct {
	find func() (string, error)

	once sync.Once
	path string
	err  error
}

// Option changes how a [Keyring] works.
type Option func(*Keyring)

// WithPath keeps the secrets in another file.
func WithPath(path string) Option {
	return func(k *Keyring) { k.find = func() (string, error) { return path, nil } }
}

// New returns the plain-text keyring of this user. It touches no file.
func New(opts ...Option) *Keyring {
	k := &Keyring{find: defaultPath}
	for _, opt := range opts {
		opt(k)
	}
	return k
}

// ID returns [keyring.Plaintext].
func (k *Keyring) ID() keyring.ID { return keyring.Plaintext }

// Path returns the file. The error says which variable is missing or wrong.
func (k *Keyring) Path() (string, error) {
	k.once.Do(func() { k.path, k.err = k.find() })
	return k.path, k.err
}

// Probe reads the file, if there is one, and tells whether it may be used and
// its folder written to.
func (k *Keyring) Probe(context.Context) keyring.Status {
	status := keyring.Status{Availability: keyring.Unavailable, Name: k.name()}
	path, err := k.Path()
	if err == nil {
		_, err = load(path)
	}
	if err == nil {
		err = privatefile.Writable(path)
	}
	if err != nil {
		status.Detail = err.Error()
		return status
	}
	status.Availability, status.Detail = keyring.Ready, "not encrypted"
	return status
}

func (k *Keyring) name() string {
	if path, err := k.Path(); err == nil {
		return "plain text file (" + path + ")"
	}
	return "plain text file"
}

// Get returns the secret of key. It waits for no lock and asks nobody.
func (k *Keyring) Get(ctx context.Context, key keyring.Key, _ keyring.Prompt) (secret.Secret, error) {
	value, err := k.get(ctx, key)
	if err != nil {
		return secret.Secret{}, k.fail("read", err)
	}
	return value, nil
}

func (k *Keyring) get(ctx context.Context, key keyring.Key) (secret.Secret, error) {
	if err := ctx.Err(); err != nil {
		return secret.Secret{}, err
	}
	entry, err := newEntry(key)
	if err != nil {
		return secret.Secret{}, err
	}
	path, err := k.Path()
	if err != nil {
		return secret.Secret{}, err
	}
	file, err := load(path)
	if err != nil {
		return secret.Secret{}, err
	}
	return entry.read(file)
}

// Set stores the secret durably; the file before it stays as it was until the
// new one has its place. A name that differs from an existing one in upper
// and lower case only is refused with [keyring.ErrUnavailable].
func (k *Keyring) Set(ctx context.Context, key keyring.Key, value secret.Secret, _ keyring.Prompt) error {
	return k.fail("write", k.change(ctx, key, func(e entry, f *contents) error { return e.write(f, value) }))
}

// Delete removes the secret of key.
func (k *Keyring) Delete(ctx context.Context, key keyring.Key, _ keyring.Prompt) error {
	return k.fail("delete from", k.change(ctx, key, entry.remove))
}

// change reads, edits and replaces the file while nobody else of this package
// does.
func (k *Keyring) change(ctx context.Context, key keyring.Key, edit func(entry, *contents) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entry, err := newEntry(key)
	if err != nil {
		return err
	}
	path, err := k.Path()
	if err != nil {
		return err
	}
	// Tried before a lock file is made: where the edit will be refused, or
	// there is nothing to delete, no file and no folder is made.
	file, err := load(path)
	if err != nil {
		return err
	}
	if err := edit(entry, file); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	lock, err := filelock.Acquire(waiting, path+".lock")
	if err != nil {
		return err
	}
	defer func() { _ = lock.Release() }()
	// Somebody may have written meanwhile.
	if file, err = load(path); err != nil {
		return err
	}
	if err := edit(entry, file); err != nil {
		return err
	}
	return save(path, file)
}

// fail puts err into the terms of the contract.
func (k *Keyring) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	e := &keyring.Error{Op: op, Keyring: keyring.Plaintext, Name: k.name(), Kind: keyring.ErrUnavailable, Err: err}
	if errors.Is(err, errNoEntry) {
		e.Kind, e.Err = keyring.ErrNotFound, nil
	}
	return e
}
