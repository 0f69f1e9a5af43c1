// Package system lists the keyrings of the platform that a program runs on.
// It is apart from package keyring because it imports every backend.
package system

import (
	"slices"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/helper"
	"github.com/authring/authring/keyring/sealed"
)

// Keyrings returns new handles on all keyrings of this platform, in the order
// of preference: the system's own first, then the sealed file, plain text
// last. Nothing is touched until one of them is used or probed. The options
// are those of the sealed file.
func Keyrings(opts ...sealed.Option) []keyring.Keyring {
	list := keyrings()
	return slices.Insert(list, len(list)-1, keyring.Keyring(sealed.New(opts...)))
}

// Find returns a keyring that is used where it is named and is never chosen: a
// credential helper, by its identifier helper:NAME.
func Find(id keyring.ID) (keyring.Keyring, bool) {
	k, ok := helper.Find(id)
	if !ok {
		return nil, false
	}
	return k, true
}
