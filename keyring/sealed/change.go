package sealed

import (
	"bytes"
	"context"
	"errors"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

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

// write puts contents in the place of old, which is kept beside them if
// keepOld.
func (k *Keyring) write(path string, old, lock, key []byte, held *contents, keepOld bool) error {
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
	if err := save(path, old, data, keepOld); err != nil {
		return err
	}
	if old == nil {
		k.keep(lock, key)
		k.mu.Lock()
		k.prepared = nil
		k.mu.Unlock()
	}
	return nil
}
