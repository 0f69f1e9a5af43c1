//go:build unix && !darwin

package system

import (
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/kwallet"
	"github.com/authring/authring/keyring/plaintext"
	"github.com/authring/authring/keyring/secretservice"
)

func keyrings() []keyring.Keyring {
	return []keyring.Keyring{secretservice.New(), kwallet.New(), plaintext.New()}
}
