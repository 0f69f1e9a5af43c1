package record

import (
	"fmt"

	"github.com/authring/authring/keyring"
)

// CheckKeyring reports whether the records of the layout can name a keyring:
// Maestral's files name a Python class, and not every keyring of ours has one.
func (l Layout) CheckKeyring(id keyring.ID) error {
	if l.app == "" {
		return l.check("")
	}
	if l.Maestral() && pythonClass(id) == "" {
		return noClass(id)
	}
	return nil
}

func noClass(id keyring.ID) error {
	return fmt.Errorf("Maestral has no keyring %q: choose %s, %s, %s or %s", id,
		keyring.Keychain, keyring.SecretService, keyring.KWallet, keyring.Plaintext)
}

// automatic is what Maestral writes while no keyring is chosen.
const automatic = "automatic"

// keyringID reads the value of a keyring key: one of our own identifiers, or
// the name of a Python class as Maestral has it. What is unknown is kept.
func keyringID(value string) keyring.ID {
	switch value {
	case "", automatic:
		return ""
	case "keyring.backends.macOS.Keyring", "keyring.backends.OS_X.Keyring":
		return keyring.Keychain
	case "keyring.backends.SecretService.Keyring", "keyring.backends.libsecret.Keyring":
		return keyring.SecretService
	case "keyring.backends.kwallet.DBusKeyring",
		"keyring.backends.kwallet.DBusKeyringKWallet5",
		"keyring.backends.kwallet.DBusKeyringKWallet4":
		return keyring.KWallet
	case "keyrings.alt.file.PlaintextKeyring":
		return keyring.Plaintext
	default:
		return keyring.ID(value)
	}
}

// pythonClass returns the class that Maestral is to load for a keyring, or ""
// when there is none.
func pythonClass(id keyring.ID) string {
	switch id {
	case "":
		return automatic
	case keyring.Keychain:
		return "keyring.backends.macOS.Keyring"
	case keyring.SecretService:
		return "keyring.backends.SecretService.Keyring"
	case keyring.KWallet:
		return "keyring.backends.kwallet.DBusKeyring"
	case keyring.Plaintext:
		return "keyrings.alt.file.PlaintextKeyring"
	default:
		return ""
	}
}
