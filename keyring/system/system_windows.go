package system

import (
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/plaintext"
	"github.com/authring/authring/keyring/wincred"
)

func keyrings() []keyring.Keyring { return []keyring.Keyring{wincred.New(), plaintext.New()} }
