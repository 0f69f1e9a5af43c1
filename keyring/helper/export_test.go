package helper

import (
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// Decode reads what a helper answers to get.
func Decode(key keyring.Key, out []byte) (string, error) {
	it, err := newItem(key)
	if err != nil {
		return "", err
	}
	value, err := it.decode(out)
	return value.Reveal(), err
}

// Encode makes what a helper reads at store, and answers to get.
func Encode(key keyring.Key, value string) ([]byte, error) {
	it, err := newItem(key)
	if err != nil {
		return nil, err
	}
	return it.encode(secret.New(value))
}
