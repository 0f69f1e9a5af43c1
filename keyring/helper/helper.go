// Package helper keeps secrets with a program that speaks the protocol of
// Docker's credential helpers, docker-credential-NAME, of which there are many:
// for pass, for 1Password and other password managers, for the keyrings of
// several systems.
//
// The keyring's identifier names the program: helper:NAME. It is used where a
// person or a program names it, and never chosen.
//
// # Protocol
//
// The protocol is that of github.com/docker/docker-credential-helpers: the
// program is run with one argument, get, store or erase; what it needs comes
// on its standard input and what it answers on standard output, so that no
// secret is in an argument or in the environment. "If an error occurs, the
// helper writes the error message to the standard output" and exits with a
// code that is not 0.
//
// An item needs a server's address there. It is made of a hash of service and
// user name,
//
//	https://<32 hex digits>.authring.invalid
//
// in a domain that can have no server (RFC 6761 section 6.4), since some
// helpers compare host names only, and others make file names of it. The user
// name is the item's own, with what is not fit for a file name as %XX. A secret
// that is one line of ASCII is stored as it is, and any other as "base64:" with
// its base64: some helpers drop line breaks.
//
// # What it does not promise
//
// How a secret is protected, and whether it is on the disk when the program
// ends, is the helper's affair. Whether it asks somebody, too: where nobody may
// be asked it gets no terminal and no display, and gpg, which pass uses, is told
// not to ask; a question that comes all the same is ended with the call.
package helper

import (
	"context"
	"errors"
	"os/exec"
	"strings"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

const (
	// prefix begins the identifiers of keyrings of this package.
	prefix = "helper:"
	// program begins the names of the programs.
	program = "docker-credential-"
	// longestName bounds the name of a helper, in bytes.
	longestName = 64
)

// Keyring is one helper. It is safe for concurrent use.
type Keyring struct{ name string }

// New returns the helper of that name: "pass" for docker-credential-pass. The
// name has letters, digits, and the characters -_. after the first. Nothing is
// run, nor looked for.
func New(name string) (*Keyring, error) {
	if !valid(name) {
		return nil, errors.New("the name of a credential helper has letters, digits, and -_. after the first, and at most 64 of them")
	}
	return &Keyring{name}, nil
}

// Find returns the helper that an identifier names, helper:NAME; false for
// any other identifier.
func Find(id keyring.ID) (*Keyring, bool) {
	name, ok := strings.CutPrefix(string(id), prefix)
	if !ok || !valid(name) {
		return nil, false
	}
	return &Keyring{name}, true
}

// valid keeps anything out that is not the name of a program: the record that
// names it is a file.
func valid(name string) bool {
	if name == "" || len(name) > longestName {
		return false
	}
	for i, r := range name {
		alphanumeric := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !alphanumeric && (i == 0 || !strings.ContainsRune("-_.", r)) {
			return false
		}
	}
	return true
}

// ID returns helper:NAME.
func (k *Keyring) ID() keyring.ID { return keyring.ID(prefix + k.name) }

// Probe looks for the program. That it is there says nothing of whether it
// works, or asks: to know it would have to be run.
func (k *Keyring) Probe(context.Context) keyring.Status {
	status := keyring.Status{Name: k.title()}
	path, err := exec.LookPath(program + k.name)
	if err != nil {
		status.Detail = k.missing()
		return status
	}
	status.Availability, status.Detail = keyring.Ready, path
	return status
}

func (k *Keyring) missing() string { return "the program " + program + k.name + " is not there" }

func (k *Keyring) title() string { return "credential helper " + k.name }

// Get returns the secret of key.
func (k *Keyring) Get(ctx context.Context, key keyring.Key, prompt keyring.Prompt) (secret.Secret, error) {
	value, err := k.get(ctx, key, prompt)
	return value, k.fail("read", err)
}

func (k *Keyring) get(ctx context.Context, key keyring.Key, prompt keyring.Prompt) (secret.Secret, error) {
	it, err := newItem(key)
	if err != nil {
		return secret.Secret{}, err
	}
	out, err := k.call(ctx, prompt, "get", []byte(it.url), secret.Secret{})
	if err != nil {
		return secret.Secret{}, err
	}
	return it.decode(out)
}

// Set stores the secret.
func (k *Keyring) Set(ctx context.Context, key keyring.Key, value secret.Secret, prompt keyring.Prompt) error {
	return k.fail("write", k.set(ctx, key, value, prompt))
}

func (k *Keyring) set(ctx context.Context, key keyring.Key, value secret.Secret, prompt keyring.Prompt) error {
	it, err := newItem(key)
	if err != nil {
		return err
	}
	input, err := it.encode(value)
	if err != nil {
		return err
	}
	_, err = k.call(ctx, prompt, "store", input, value)
	return err
}

// Delete removes the secret of key. It is read before, since helpers do not
// agree on what it means to erase what is not there.
func (k *Keyring) Delete(ctx context.Context, key keyring.Key, prompt keyring.Prompt) error {
	return k.fail("delete from", k.remove(ctx, key, prompt))
}

func (k *Keyring) remove(ctx context.Context, key keyring.Key, prompt keyring.Prompt) error {
	it, err := newItem(key)
	if err != nil {
		return err
	}
	if _, err := k.get(ctx, key, prompt); err != nil {
		return err
	}
	_, err = k.call(ctx, prompt, "erase", []byte(it.url), secret.Secret{})
	return err
}

// fail puts err into the terms of the contract.
func (k *Keyring) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	e := &keyring.Error{Op: op, Keyring: k.ID(), Name: k.title(), Kind: keyring.ErrUnavailable, Err: err}
	switch {
	case errors.Is(err, errNoItem):
		e.Kind, e.Err = keyring.ErrNotFound, nil
	case errors.Is(err, errLocked):
		e.Kind = keyring.ErrLocked
	case errors.Is(err, exec.ErrNotFound):
		e.Kind, e.Detail, e.Err = keyring.ErrAbsent, k.missing(), nil
	}
	return e
}
