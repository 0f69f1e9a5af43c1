package helper

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/secret"
)

// errNoItem: the helper answered, and has no such item.
var errNoItem = errors.New("no such item")

const (
	// maxSecret bounds secrets, in bytes. Docker's own helpers read lines of
	// at most 64 KiB, and base64 and the rest have to fit as well.
	maxSecret = 40 << 10
	// encoded begins a secret that is not stored as it is.
	encoded = "base64:"
)

// credentials is what helpers read and write.
type credentials struct {
	ServerURL string
	Username  string
	Secret    string
}

// item is a key in the helper's terms.
type item struct{ url, username string }

func newItem(key keyring.Key) (item, error) {
	if key.Service == "" || key.User == "" {
		return item{}, errors.New("an item needs a service and a user name")
	}
	if strings.ContainsRune(key.Service, 0) {
		return item{}, errors.New("the name of the item cannot be stored")
	}
	sum := sha256.Sum256([]byte(key.Service + "\x00" + key.User))
	return item{
		url:      "https://" + hex.EncodeToString(sum[:16]) + ".authring.invalid",
		username: escape(key.User),
	}, nil
}

// escape writes what is not fit for the name of a file, anywhere, as %XX.
func escape(user string) string {
	var out strings.Builder
	for i := range len(user) {
		b := user[i]
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', strings.IndexByte("-_:@", b) >= 0, b == '.' && i > 0:
			out.WriteByte(b)
		default:
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}

// encode makes the input of store.
func (it item) encode(value secret.Secret) ([]byte, error) {
	text := value.Reveal()
	switch {
	case text == "":
		return nil, errors.New("the secret is empty")
	case len(text) > maxSecret:
		return nil, fmt.Errorf("the secret is larger than %d bytes", maxSecret)
	}
	return json.Marshal(credentials{it.url, it.username, wrap(text)})
}

// wrap makes a line of ASCII of any text.
func wrap(text string) string {
	plain := !strings.HasPrefix(text, encoded)
	for i := range len(text) {
		plain = plain && '!' <= text[i] && text[i] <= '~'
	}
	if plain {
		return text
	}
	return encoded + base64.StdEncoding.EncodeToString([]byte(text))
}

// decode reads the answer to get. An answer without a secret is what some
// helpers give for what they have not.
func (it item) decode(out []byte) (secret.Secret, error) {
	var found credentials
	if err := json.Unmarshal(out, &found); err != nil {
		return secret.Secret{}, errors.New("its answer is not what helpers answer")
	}
	switch {
	case found.Secret == "":
		return secret.Secret{}, errNoItem
	case found.Username != it.username:
		return secret.Secret{}, errors.New("it answers with another item than the one asked for")
	}
	text, isEncoded := strings.CutPrefix(found.Secret, encoded)
	if !isEncoded {
		return secret.New(found.Secret), nil
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) == 0 {
		return secret.Secret{}, errors.New("what it holds is damaged")
	}
	return secret.New(string(raw)), nil
}
