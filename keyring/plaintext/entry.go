package plaintext

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/plaintext/internal/rawconfig"
	"github.com/authring/authring/secret"
)

type contents = rawconfig.File

// errNoEntry becomes keyring.ErrNotFound.
var errNoEntry = errors.New("no such entry")

// entry is where the secret of one key stands in a file.
type entry struct {
	user    string
	exact   string // the user name, escaped
	section string
	names   string // the section with the exact names
}

func newEntry(key keyring.Key) (entry, error) {
	if key.User == "" || key.Service == "" {
		return entry{}, errors.New("an entry needs a service and a user name")
	}
	e := entry{user: key.User, exact: escape(key.User), section: escape(key.Service)}
	if e.section == rawconfig.Default {
		return entry{}, fmt.Errorf("the format has no room for a service named %q", key.Service)
	}
	// The blanks keep it apart from the section of every service.
	e.names = "exact user names of " + e.section
	return e, nil
}

// escape spells s in letters and digits of ASCII, each other byte as _XX, as
// keyrings.alt/escape.py does.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02X", c)
		}
	}
	return b.String()
}

// find returns the encoded secret and whether it may be this entry's: false
// if it is known to be that of another user name.
func (e entry) find(f *contents) (encoded string, ours bool, err error) {
	encoded, ok := f.Get(e.section, e.exact)
	if !ok {
		return "", false, errNoEntry
	}
	name, ok := f.Get(e.names, e.exact)
	if !ok {
		return encoded, true, nil
	}
	exact, mark, _ := strings.Cut(name, " ")
	// A mark that does not fit is from before Python replaced the value:
	// nobody knows for whom.
	return encoded, exact == e.exact || mark != fingerprint(encoded), nil
}

// fingerprint ties an exact name to the value that it was written with. It
// tells nothing that the value, a few lines above it, does not.
func fingerprint(encoded string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(encoded)))
	return hex.EncodeToString(sum[:8])
}

func (e entry) read(f *contents) (secret.Secret, error) {
	encoded, ours, err := e.find(f)
	if err != nil {
		return secret.Secret{}, err
	}
	if !ours {
		return secret.Secret{}, errNoEntry
	}
	value, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil || !utf8.Valid(value) {
		// The cause would show a part of the value.
		return secret.Secret{}, fmt.Errorf("the entry of %q is not base64 of a text", e.user)
	}
	if len(value) == 0 {
		return secret.Secret{}, fmt.Errorf("the entry of %q is empty", e.user)
	}
	return secret.New(string(value)), nil
}

func (e entry) write(f *contents, value secret.Secret) error {
	if value.IsZero() || !utf8.ValidString(value.Reveal()) {
		return errors.New("a secret is a text that is not empty")
	}
	_, ours, err := e.find(f)
	if err == nil && !ours {
		return fmt.Errorf("it holds a secret of another user name that differs from %q in upper and lower case only, and has no room for both: delete that one first", e.user)
	}
	encoded := encode(value.Reveal())
	f.Set(e.section, e.exact, encoded)
	f.Set(e.names, e.exact, e.exact+" "+fingerprint(encoded))
	return nil
}

// encode returns a line break, then base64 in lines of 76 characters, each
// with its line break: base64.encodebytes of Python, as keyrings.alt stores
// it.
func encode(value string) string {
	const width = 76
	var b strings.Builder
	b.WriteByte('\n')
	for rest := base64.StdEncoding.EncodeToString([]byte(value)); rest != ""; {
		n := min(width, len(rest))
		b.WriteString(rest[:n] + "\n")
		rest = rest[n:]
	}
	return b.String()
}

func (e entry) remove(f *contents) error {
	_, ours, err := e.find(f)
	if err != nil {
		return err
	}
	if !ours {
		return errNoEntry
	}
	f.Remove(e.section, e.exact)
	f.Remove(e.names, e.exact)
	f.RemoveIfEmpty(e.names)
	return nil
}
