package wincred

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// Other writers of a long secret make a reader begin again; more than this
// many while it reads is no accident.
const mostRereads = 20

const comment = "Stored by authring"

var (
	errIncomplete = errors.New("a part of the secret is missing")
	errUnsteady   = errors.New("the secret changes faster than it can be read")
)

// find returns the credential of key: the one that Python's keyring reads. It
// is [errNoItem], or [errOtherCase] where a name that differs in case has the
// place.
func (o *operation) find(key keyring.Key) (item, error) {
	first, err := o.read(key.Service)
	if err == nil && first.user == key.User {
		return first, nil
	}
	if err != nil && err != errNoItem {
		return item{}, err
	}
	i, err := o.read(compound(key))
	if err == nil && i.user != key.User {
		return item{}, errOtherCase
	}
	return i, err
}

func (o *operation) get(key keyring.Key) (secret.Secret, error) {
	var last head
	for range mostRereads {
		i, err := o.find(key)
		if err != nil {
			return secret.Secret{}, err
		}
		text, err := decode(i.blob)
		if err != nil {
			return secret.Secret{}, err
		}
		h, split, err := parseHead(text)
		if err != nil {
			return secret.Secret{}, err
		}
		if !split {
			return secret.New(text), nil
		}
		value, err := o.assemble(key, h)
		if err != errIncomplete {
			return secret.New(value), err
		}
		// A writer has removed the parts meanwhile, and so replaced the head.
		if h == last {
			return secret.Secret{}, errIncomplete
		}
		last = h
	}
	return secret.Secret{}, errUnsteady
}

func (o *operation) assemble(key keyring.Key, h head) (string, error) {
	var value strings.Builder
	for n := range h.parts {
		part, err := o.read(partTarget(key, h.generation, n))
		if err == errNoItem {
			return "", errIncomplete
		}
		if err != nil {
			return "", err
		}
		value.Write(part.blob)
	}
	if checksum(value.String()) != h.sum {
		return "", errIncomplete
	}
	return value.String(), nil
}

// set needs the writers' lock.
func (o *operation) set(key keyring.Key, value secret.Secret) error {
	if value.IsZero() || !utf8.ValidString(value.Reveal()) {
		return errors.New("a secret is a text that is not empty")
	}
	if len(value.Reveal()) > mostParts*blobLimit {
		return fmt.Errorf("a secret has at most %d bytes", mostParts*blobLimit)
	}
	old, err := o.find(key)
	if err == errNoItem {
		old.target = compound(key)
	} else if err != nil {
		return err
	}
	next := item{target: old.target, user: key.User, comment: comment}
	var generation string
	if blob := encode(value.Reveal()); fits(value.Reveal(), blob) {
		next.blob = blob
	} else {
		h := newHead(value.Reveal())
		if err := o.writeParts(key, h, value.Reveal()); err != nil {
			return err
		}
		next.blob, generation = encode(h.String()), h.generation
	}
	if err := o.write(next); err != nil {
		return err
	}
	// What is left over is in nobody's way: the next write tries again.
	if next.target == key.Service {
		_ = o.eraseOurs(compound(key), key)
	}
	o.sweep(key, generation)
	return nil
}

// fits reports whether the blob of a credential can hold value so that it is
// read back as it is: without a byte order mark, or the mark of a head, of its
// own.
func fits(value string, blob []byte) bool {
	back, err := decode(blob)
	return err == nil && back == value && len(blob) <= blobLimit && !strings.HasPrefix(value, headMark)
}

func (o *operation) writeParts(key keyring.Key, h head, value string) error {
	n := 0
	for part := range slices.Chunk([]byte(value), blobLimit) {
		err := o.write(item{
			target:  partTarget(key, h.generation, n),
			user:    key.User,
			comment: fmt.Sprintf("Part %d of %d of a secret stored by authring", n+1, h.parts),
			blob:    part,
		})
		if err != nil {
			return err
		}
		n++
	}
	return nil
}

// remove needs the writers' lock.
func (o *operation) remove(key keyring.Key) error {
	found := false
	// In this order: what Python reads second must not come to light.
	for _, target := range []string{compound(key), key.Service} {
		switch err := o.eraseOurs(target, key); err {
		case nil:
			found = true
		case errNoItem:
		default:
			return err
		}
	}
	o.sweep(key, "")
	if !found {
		return errNoItem
	}
	return nil
}

// eraseOurs removes the credential if it is of exactly this user.
func (o *operation) eraseOurs(target string, key keyring.Key) error {
	i, err := o.read(target)
	if err != nil {
		return err
	}
	if i.user != key.User {
		return errNoItem
	}
	return o.erase(target)
}

// hasParts reports whether there are parts of key: where nothing names them,
// those that a killed writer has left.
func (o *operation) hasParts(key keyring.Key) bool {
	targets, err := o.list(partPrefix(key))
	return err == nil && len(targets) > 0
}

// sweep removes the parts of key that are not of this generation.
func (o *operation) sweep(key keyring.Key, generation string) {
	targets, err := o.list(partPrefix(key))
	if err != nil {
		return
	}
	for _, target := range targets {
		if generation == "" || !strings.HasPrefix(target, partPrefix(key)+generation+":") {
			_ = o.erase(target)
		}
	}
}
