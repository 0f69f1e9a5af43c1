package sealed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// errNoItem: the file was opened and has no such item.
var errNoItem = errors.New("no such item")

// contents are what the body holds.
type contents struct {
	// Generation counts how often the file was replaced.
	Generation uint64 `json:"generation"`
	Items      []item `json:"items"`
}

// item is a secret under its names. The secret is bytes, which JSON has as
// base64, so that it comes back as it was whatever it is.
type item struct {
	Service string `json:"service"`
	User    string `json:"user"`
	Secret  []byte `json:"secret"`
}

// decode reads a body. What it does not know it refuses: to write the file
// without it would lose it.
func decode(plain []byte) (*contents, error) {
	decoder := json.NewDecoder(bytes.NewReader(plain))
	decoder.DisallowUnknownFields()
	c := &contents{}
	if err := decoder.Decode(c); err != nil {
		return nil, ErrNewer
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrNewer
	}
	return c, nil
}

func (c *contents) encode() ([]byte, error) { return json.Marshal(c) }

// checkKey refuses names that JSON would not give back.
func checkKey(key keyring.Key) error {
	switch {
	case key.Service == "" || key.User == "":
		return errors.New("an item needs a service and a user name")
	case !utf8.ValidString(key.Service) || !utf8.ValidString(key.User):
		return errors.New("the name of the item is not UTF-8 text")
	}
	return nil
}

func (c *contents) find(key keyring.Key) int {
	return slices.IndexFunc(c.Items, func(i item) bool { return i.Service == key.Service && i.User == key.User })
}

// get returns the secret of key.
func (c *contents) get(key keyring.Key) (secret.Secret, error) {
	at := c.find(key)
	if at < 0 {
		return secret.Secret{}, errNoItem
	}
	return secret.New(string(c.Items[at].Secret)), nil
}

// set stores a secret.
func (c *contents) set(key keyring.Key, value secret.Secret) error {
	if value.IsZero() {
		return errors.New("the secret is empty")
	}
	if size := len(value.Reveal()); size > maxSize/2 {
		return fmt.Errorf("the secret is larger than %d bytes", maxSize/2)
	}
	at := c.find(key)
	if at < 0 {
		at = len(c.Items)
		c.Items = append(c.Items, item{Service: key.Service, User: key.User})
	}
	c.Items[at].Secret = []byte(value.Reveal())
	return nil
}

// remove drops an item.
func (c *contents) remove(key keyring.Key) error {
	at := c.find(key)
	if at < 0 {
		return errNoItem
	}
	c.Items = slices.Delete(c.Items, at, at+1)
	return nil
}
