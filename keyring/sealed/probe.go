package sealed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"

	"filippo.io/age/plugin"

	"github.com/authring/authring/internal/privatefile"
	"github.com/authring/authring/keyring"
)

// Probe reads the file, if there is one, and the keys that cost nothing and
// ask nobody. Ready: there is a key. Startable: a plugin has to open it.
// Locked: a passphrase would be asked for. Absent: there is no file, and no
// key is set up. Unavailable: there is no key for the file that is there, or
// something is wrong with what is set up. A passphrase that nobody has to type
// is not tried, which takes a while.
func (k *Keyring) Probe(ctx context.Context) keyring.Status {
	status := keyring.Status{Availability: keyring.Unavailable, Name: k.name()}
	path, err := k.Path()
	var c *container
	if err == nil {
		_, c, err = load(path)
	}
	if err == nil {
		err = privatefile.Writable(path)
	}
	switch {
	case err != nil:
		status.Detail = err.Error()
	case c == nil:
		status.Availability, status.Detail = k.probeNew(ctx, path)
	default:
		status.Availability, status.Detail = k.probeOld(ctx, path, c.lock)
	}
	return status
}

// probeNew tells whether a file could be made.
func (k *Keyring) probeNew(ctx context.Context, path string) (keyring.Availability, string) {
	sources := k.sources(path, keyring.NoPrompt)
	switch {
	case len(sources) > 0:
	case k.ask != nil:
		return keyring.Locked, "would be made, with a new passphrase"
	default:
		return keyring.Absent, noKey
	}
	first := sources[0]
	if first.unseen {
		return keyring.Ready, "encrypted, with " + first.about
	}
	m, err := first.read(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist) && first.mayBeMade():
		return keyring.Ready, "encrypted, with a new key file"
	case err != nil:
		return keyring.Unavailable, first.about + ": " + err.Error()
	case m.plugin:
		return probePlugins(m, first.about)
	}
	return keyring.Ready, "encrypted, with " + first.about
}

// probeOld tells whether there is a key for the file that is there.
func (k *Keyring) probeOld(ctx context.Context, path string, lock []byte) (keyring.Availability, string) {
	if k.known(lock) != nil {
		return keyring.Ready, "encrypted"
	}
	byPassphrase, err := lockedByPassphrase(lock)
	if err != nil {
		return keyring.Unavailable, err.Error()
	}
	var failures []error
	for _, s := range k.sources(path, keyring.NoPrompt) {
		if s.passphrase != byPassphrase {
			continue
		}
		if s.unseen {
			return keyring.Ready, "encrypted, with " + s.about
		}
		m, err := s.read(ctx)
		if err == nil && m.plugin {
			return probePlugins(m, s.about)
		}
		if err == nil && !byPassphrase {
			_, err = openLock(lock, m)
		}
		if err == nil {
			return keyring.Ready, "encrypted, with " + s.about
		}
		failures = append(failures, fmt.Errorf("%s: %w", s.about, err))
	}
	if byPassphrase && k.ask != nil {
		return keyring.Locked, "asks for its passphrase"
	}
	return keyring.Unavailable, locked(byPassphrase, failures).Error()
}

// ByPassphrase reports whether the file that is there is sealed with a
// passphrase, and not with a key. It needs neither.
func (k *Keyring) ByPassphrase() (bool, error) {
	path, err := k.Path()
	var c *container
	if err == nil {
		_, c, err = load(path)
	}
	byPassphrase := false
	if err == nil && c != nil {
		byPassphrase, err = lockedByPassphrase(c.lock)
	}
	return byPassphrase, k.fail("look at", err)
}

// probePlugins tells whether the programs are there.
func probePlugins(m *material, about string) (keyring.Availability, string) {
	for _, identity := range m.identities {
		if p, ok := identity.(*plugin.Identity); ok {
			if _, err := exec.LookPath("age-plugin-" + p.Name()); err != nil {
				return keyring.Unavailable, about + ": the program age-plugin-" + p.Name() + " is not there"
			}
		}
	}
	return keyring.Startable, "encrypted, with a plugin of age"
}
