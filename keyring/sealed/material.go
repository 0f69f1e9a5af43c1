package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
	"filippo.io/age/plugin"
)

const (
	// writeWork is the cost of a passphrase, as a power of two: "N=2^17 (128
	// MiB), r=8 (1024 bytes), p=1" (OWASP Password Storage Cheat Sheet,
	// scrypt).
	writeWork = 17
	// readWork bounds the cost that a file may ask for: 512 MiB of memory.
	readWork = 19
	// maxMaterial bounds files that hold keys, in bytes.
	maxMaterial = 64 << 10
	// maxPassphrase bounds passphrases, in bytes.
	maxPassphrase = 4 << 10
)

// material is what locks and opens a file.
type material struct {
	recipients []age.Recipient
	identities []age.Identity
	// plugin is set where a program of somebody else's does it, which may
	// take its time and ask for something.
	plugin bool
}

// newPassphrase makes material of a passphrase.
func newPassphrase(text string, work int) (*material, error) {
	switch {
	case text == "":
		return nil, errors.New("the passphrase is empty")
	case len(text) > maxPassphrase:
		return nil, fmt.Errorf("the passphrase is longer than %d bytes", maxPassphrase)
	}
	recipient, err := age.NewScryptRecipient(text)
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(work)
	identity, err := age.NewScryptIdentity(text)
	if err != nil {
		return nil, err
	}
	identity.SetMaxWorkFactor(readWork)
	return &material{recipients: []age.Recipient{recipient}, identities: []age.Identity{identity}}, nil
}

// firstLine is a passphrase as a file or a descriptor holds it.
func firstLine(data []byte) string {
	line, _, _ := bytes.Cut(data, []byte{'\n'})
	return strings.TrimSuffix(string(line), "\r")
}

// newKey makes material of what a key file or a credential holds: identities
// of age, or else random bytes. A line break at the end is not part of the
// key.
func newKey(data []byte, ui *plugin.ClientUI) (*material, error) {
	for line := range bytes.Lines(data) {
		if isIdentity(string(bytes.TrimSpace(line))) {
			return newIdentities(data, ui)
		}
	}
	if err := mistaken(data); err != nil {
		return nil, err
	}
	if len(data) < rawKeyLeast {
		return nil, fmt.Errorf("it holds %d bytes, and a key has at least %d, which must be random", len(data), rawKeyLeast)
	}
	key := rawKey(bytes.TrimRight(data, "\r\n"))
	if len(bytes.Trim(key, "\x00")) == 0 { // such as a crash leaves
		return nil, errors.New("it holds nothing but zeros and line breaks, and a key must be random")
	}
	return &material{recipients: []age.Recipient{key}, identities: []age.Identity{key}}, nil
}

// mistaken refuses what is taken for a key, or for an identity, and is neither.
func mistaken(data []byte) error {
	for raw := range bytes.Lines(data) {
		switch line := string(bytes.TrimSpace(raw)); {
		case strings.HasPrefix(line, "age1"):
			return errors.New("it holds the public half of an age identity, which opens nothing")
		case line == "age-encryption.org/v1", line == "-----BEGIN AGE ENCRYPTED FILE-----":
			return errors.New("it is encrypted itself, by age, and has to be decrypted first")
		}
	}
	return nil
}

// isIdentity reports whether a line is an identity of age, or is meant as one.
func isIdentity(line string) bool {
	return strings.HasPrefix(line, "AGE-SECRET-KEY-") || isPlugin(line)
}

func isPlugin(line string) bool { return strings.HasPrefix(line, "AGE-PLUGIN-") }

// newIdentities reads a file of age identities, one a line. The file is sealed
// for all of them. What the lines hold is kept out of errors.
func newIdentities(data []byte, ui *plugin.ClientUI) (*material, error) {
	if err := mistaken(data); err != nil {
		return nil, err
	}
	m := &material{}
	number := 0
	for raw := range bytes.Lines(data) {
		number++
		line := string(bytes.TrimSpace(raw))
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case isPlugin(line):
			identity, err := plugin.NewIdentity(line, ui)
			if err != nil {
				return nil, fmt.Errorf("line %d is not an identity of an age plugin", number)
			}
			m.plugin = true
			m.identities = append(m.identities, identity)
			m.recipients = append(m.recipients, identity.Recipient())
		default:
			identity, recipient, err := native(line)
			if err != nil {
				return nil, fmt.Errorf("line %d is not an age identity, such as age-keygen makes", number)
			}
			m.identities = append(m.identities, identity)
			m.recipients = append(m.recipients, recipient)
		}
	}
	if len(m.identities) == 0 {
		return nil, errors.New("it holds no age identity")
	}
	return m, nil
}

// native reads an identity that needs no plugin.
func native(line string) (age.Identity, age.Recipient, error) {
	parsed, err := age.ParseIdentities(strings.NewReader(line))
	if err != nil || len(parsed) != 1 {
		return nil, nil, errors.New("not an identity")
	}
	switch identity := parsed[0].(type) {
	case *age.X25519Identity:
		return identity, identity.Recipient(), nil
	case *age.HybridIdentity:
		return identity, identity.Recipient(), nil
	default:
		return nil, nil, errors.New("an identity of another kind")
	}
}
