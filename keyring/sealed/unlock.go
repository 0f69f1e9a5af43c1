package sealed

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/authring/authring/internal/bounded"
	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/keyring"
)

// asks is how often a person may give a wrong passphrase.
const asks = 3

// opened is the key of a body, under the lock that gave it.
type opened struct {
	lock [sha256.Size]byte
	key  []byte
}

// prepared is the lock of a file that is to be made.
type prepared struct {
	lock, key []byte
	source    *source // nil: a person
}

// known returns the key of a lock that was opened before. Neither passphrase
// nor plugin is needed again while the process lives.
func (k *Keyring) known(lock []byte) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.opened != nil && k.opened.lock == sha256.Sum256(lock) {
		return k.opened.key
	}
	return nil
}

func (k *Keyring) keep(lock, key []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.opened = &opened{sha256.Sum256(lock), key}
}

// inTurn lets one caller at a time work with keys. What a passphrase costs, or a
// plugin does, cannot be interrupted, and is waited for no longer than ctx
// lasts; a plugin that is given up is killed, so that it neither outlives this
// process nor keeps the next caller out.
func inTurn[T any](ctx context.Context, k *Keyring, f func() (T, error)) (T, error) {
	value, err := bounded.Do(ctx, k.turn, f)
	if err != nil && ctx.Err() != nil && !errors.Is(err, bounded.ErrBusy) {
		endPlugins()
	}
	return value, err
}

// key returns the key that a lock gives.
func (k *Keyring) key(ctx context.Context, path string, lock []byte, prompt keyring.Prompt) ([]byte, error) {
	if key := k.known(lock); key != nil {
		return key, nil
	}
	return inTurn(ctx, k, func() ([]byte, error) {
		if key := k.known(lock); key != nil {
			return key, nil
		}
		key, err := k.openLock(ctx, path, lock, prompt)
		if err == nil {
			k.keep(lock, key)
		}
		return key, err
	})
}

// openLock tries every key that is there, and then asks.
func (k *Keyring) openLock(ctx context.Context, path string, lock []byte, prompt keyring.Prompt) ([]byte, error) {
	byPassphrase, err := lockedByPassphrase(lock)
	if err != nil {
		return nil, err
	}
	var failures []error
	for _, s := range k.sources(path, prompt) {
		if s.passphrase != byPassphrase {
			continue
		}
		m, err := s.read(ctx)
		var key []byte
		if err == nil && ctx.Err() == nil {
			key, err = openLock(lock, m)
		}
		switch {
		case key != nil:
			return key, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, ErrDamaged):
			return nil, err
		}
		failures = append(failures, fmt.Errorf("%s: %w", s.about, err))
	}
	if byPassphrase && k.ask != nil {
		if prompt <= keyring.NoPrompt {
			return nil, &refusal{kind: keyring.ErrLocked, detail: "its passphrase would have to be asked for"}
		}
		return k.askToOpen(ctx, path, lock, prompt)
	}
	return nil, locked(byPassphrase, failures)
}

// locked says why no key opened the file, or that there is none.
func locked(byPassphrase bool, failures []error) error {
	switch {
	case len(failures) > 0:
		var texts []string
		for _, err := range failures {
			texts = append(texts, err.Error())
		}
		return &refusal{kind: keyring.ErrLocked, detail: strings.Join(texts, "; "), causes: failures}
	case byPassphrase:
		return &refusal{kind: keyring.ErrLocked, detail: "it is sealed with a passphrase, and there is none: give one with --passphrase-file"}
	default:
		return &refusal{kind: keyring.ErrLocked, detail: "there is no key for it: give the one that it was sealed with (--identity or --key-file, or the systemd credential " + CredentialName + ")"}
	}
}

// askToOpen asks a person for the passphrase of the file.
func (k *Keyring) askToOpen(ctx context.Context, path string, lock []byte, prompt keyring.Prompt) ([]byte, error) {
	asking, cancel := context.WithTimeout(ctx, time.Duration(prompt))
	defer cancel()
	for try := range asks {
		m, err := k.askOnce(ctx, asking, Question{Path: path, Again: try > 0})
		if err != nil {
			return nil, err
		}
		key, err := openLock(lock, m)
		if !errors.Is(err, ErrWrongKey) {
			return key, err
		}
	}
	return nil, &refusal{kind: keyring.ErrLocked, detail: "the passphrase is wrong", causes: []error{ErrWrongKey}}
}

// askOnce asks a person once, for as long as asking lasts.
func (k *Keyring) askOnce(ctx, asking context.Context, q Question) (*material, error) {
	answer, err := k.ask(asking, q)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case asking.Err() != nil:
		return nil, &refusal{kind: keyring.ErrLocked, detail: "nobody gave the passphrase in time"}
	case err != nil:
		return nil, &refusal{kind: keyring.ErrDismissed, detail: "the passphrase was not given", causes: []error{err}}
	case answer.IsZero():
		return nil, &refusal{kind: keyring.ErrDismissed, detail: "the passphrase was not given"}
	}
	return newPassphrase(answer.Reveal(), k.work)
}

// prepare makes the lock of a file that is not there yet. What it made is kept
// until the file is.
func (k *Keyring) prepare(ctx context.Context, path string, prompt keyring.Prompt) (*prepared, error) {
	return inTurn(ctx, k, func() (*prepared, error) {
		k.mu.Lock()
		ready := k.prepared
		k.mu.Unlock()
		if ready != nil {
			return ready, nil
		}
		m, from, err := k.newMaterial(ctx, path, prompt)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		lock, key, err := newLock(m.recipients)
		if err != nil {
			return nil, &refusal{kind: keyring.ErrLocked, detail: "could not seal a new file: " + err.Error(), causes: []error{err}}
		}
		ready = &prepared{lock, key, from}
		k.mu.Lock()
		k.prepared = ready
		k.mu.Unlock()
		return ready, nil
	})
}

// newMaterial chooses the key of a new file. If the program gave one, nothing
// that is merely found takes its place, and the first that is named is used or
// nothing: a file must not be sealed for another key than meant.
func (k *Keyring) newMaterial(ctx context.Context, path string, prompt keyring.Prompt) (*material, *source, error) {
	if sources := k.sources(path, prompt); len(sources) > 0 {
		first := sources[0]
		m, err := first.read(ctx)
		if errors.Is(err, fs.ErrNotExist) && first.mayBeMade() {
			if err = makeKeyFile(first.path); err == nil {
				m, err = first.read(ctx)
			}
		}
		if err != nil && ctx.Err() == nil {
			err = &refusal{kind: keyring.ErrLocked, detail: first.about + ": " + err.Error(), causes: []error{err}}
		}
		return m, first, err
	}
	switch {
	case k.ask == nil:
		return nil, nil, &refusal{kind: keyring.ErrAbsent, detail: noKey}
	case prompt <= keyring.NoPrompt:
		return nil, nil, &refusal{kind: keyring.ErrLocked, detail: "a new passphrase would have to be asked for"}
	}
	asking, cancel := context.WithTimeout(ctx, time.Duration(prompt))
	defer cancel()
	m, err := k.askOnce(ctx, asking, Question{Path: path, New: true})
	return m, nil, err
}

// noKey says how to set one up.
const noKey = "no key is set up for it; to seal secrets in a file, name one: --passphrase-file, --key-file or --identity"

// mayBeMade: a key file that was named for the purpose.
func (s *source) mayBeMade() bool { return s.setting == keyFile && s.given }

// lockPath is beside the sealed file.
func lockPath(path string) string { return path + ".lock" }

// acquire takes the lock that all writers of the file at path respect.
func acquire(ctx context.Context, path string) (*filelock.Lock, error) {
	waiting, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	return filelock.Acquire(waiting, lockPath(path))
}
