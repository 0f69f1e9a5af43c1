//go:build !windows

package wincred_test

import (
	"path/filepath"
	"testing"

	"github.com/authring/authring/internal/matrix"
	"github.com/authring/authring/keyring/wincred"
)

// behind is what stands behind the keyrings of opener.
var behind = matrix.Behind{How: matrix.Fake, Name: "fake of Windows' credential store"}

// opener returns how to open handles on one store: here, a fake one.
func opener(t *testing.T) func() *wincred.Keyring {
	fake, lock := wincred.NewFake(), filepath.Join(t.TempDir(), "x.lock")
	t.Cleanup(func() { noneLeft(t, fake) })
	return func() *wincred.Keyring { return fake.Open(lock) }
}

func underWine() bool { return false }
