package wincred

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/authring/authring/keyring"
)

// longestName bounds a service and a user name, in UTF-16 units. wincred.h:
// CRED_MAX_USERNAME_LENGTH is 513 with the final zero; a target has room for
// 32,767.
const longestName = 512

func checkKey(key keyring.Key) error {
	for _, name := range []string{key.Service, key.User} {
		if name == "" || !utf8.ValidString(name) || strings.Contains(name, "\x00") || len(utf16.Encode([]rune(name))) > longestName {
			return &outcome{kind: keyring.ErrUnavailable,
				detail: fmt.Sprintf("a credential needs a service and a user name, texts of at most %d characters without zero bytes", longestName)}
		}
	}
	return nil
}

// compound is the target of a user who is not the first of a service
// (keyring/backends/Windows.py).
func compound(key keyring.Key) string { return key.User + "@" + key.Service }

// partPrefix begins the targets of all parts of a secret, of whatever
// generation. The key is hashed, so that no name has a meaning in Windows'
// filter, nor length or case a bearing on it.
func partPrefix(key keyring.Key) string {
	sum := sha256.Sum256([]byte(key.Service + "\x00" + key.User))
	return "authring-part:" + hex.EncodeToString(sum[:16]) + ":"
}

func partTarget(key keyring.Key, generation string, i int) string {
	return fmt.Sprintf("%s%s:%d", partPrefix(key), generation, i)
}
