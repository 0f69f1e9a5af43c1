package keychain

import (
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keychain/internal/security"
)

func loadFramework() (framework, error) {
	l, err := security.Load(security.CoreFoundation, security.Framework)
	if err != nil {
		return nil, &outcome{kind: keyring.ErrUnavailable, detail: "macOS' Security framework is not as it should be", cause: err}
	}
	return l, nil
}
