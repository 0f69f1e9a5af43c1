package record

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/authring/authring/internal/ini"
)

// Longest values, in bytes.
const (
	longestID    = 512
	longestScope = 8 << 10
	longestText  = 512
)

// checkID returns why a value cannot be an identifier, or "". Identifiers
// become lines of files and names in keyrings: what a line cannot hold, or
// nobody can see, is refused and not mended.
func checkID(value string) string { return checkLine(value, longestID) }

func checkLine(value string, longest int) string {
	switch {
	case len(value) > longest:
		return fmt.Sprintf("has more than %d bytes", longest)
	case !utf8.ValidString(value):
		return "is not UTF-8 text"
	case strings.TrimSpace(value) != value:
		return "starts or ends with a space"
	}
	for _, r := range value {
		if !unicode.IsPrint(r) {
			return fmt.Sprintf("holds %q", r)
		}
	}
	return ""
}

// cleanText makes a provider's text for people fit a line: line breaks,
// control characters and those that turn the writing direction become spaces.
func cleanText(value string) string {
	value = strings.ToValidUTF8(value, "\ufffd")
	value = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) ||
			unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, value)
	for len(value) > longestText {
		_, size := utf8.DecodeLastRuneInString(value)
		value = value[:len(value)-size]
	}
	return strings.TrimSpace(value)
}

// clean returns the record as it can be written, or why it cannot.
func (r Record) clean() (Record, error) {
	if r.Empty() {
		return r, errors.New("it has no account")
	}
	if r.TokenAccessType == "" {
		r.TokenAccessType = Legacy
	}
	if r.Provider == "" {
		r.Provider = DefaultProvider
	}
	for _, id := range []struct{ name, value string }{
		{"account id", r.AccountID},
		{"keyring", string(r.Keyring)},
		{"token access type", r.TokenAccessType},
		{"provider", r.Provider},
		{"app key", r.AppKey},
	} {
		if reason := checkID(id.value); reason != "" {
			return r, fmt.Errorf("the %s %s", id.name, reason)
		}
	}
	r.Scope = strings.Join(strings.Fields(r.Scope), " ")
	r.ScopeMissing = strings.Join(strings.Fields(r.ScopeMissing), " ")
	for _, scope := range []string{r.Scope, r.ScopeMissing} {
		if reason := checkLine(scope, longestScope); reason != "" {
			return r, fmt.Errorf("the scope %s", reason)
		}
	}
	r.Email, r.DisplayName = cleanText(r.Email), cleanText(r.DisplayName)
	if r.Revoked != nil {
		if reason := checkID(r.Revoked.Fingerprint); reason != "" {
			return r, fmt.Errorf("the fingerprint %s", reason)
		}
		r.Revoked = &Revocation{At: r.Revoked.At, Reason: cleanText(r.Revoked.Reason), Fingerprint: r.Revoked.Fingerprint}
	}
	return r, nil
}

// getID reads an identifier. One that could not have been written is an error
// with its line: what follows from half an identifier is never right.
func getID(f *ini.File, section, key string) (string, error) {
	value, _ := f.Get(section, key)
	if reason := checkID(value); reason != "" {
		return "", &ini.SyntaxError{Line: f.Line(section, key), Reason: key + " " + reason}
	}
	return value, nil
}

func getText(f *ini.File, section, key string) string {
	value, _ := f.Get(section, key)
	return cleanText(value)
}

// getTime reads a time; one that cannot be read is unknown, not an error.
func getTime(f *ini.File, section, key string) time.Time {
	value, _ := f.Get(section, key)
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// setOrDelete keeps keys out of the file that say nothing.
func setOrDelete(f *ini.File, section, key, value string) {
	if value == "" {
		f.Delete(section, key)
		return
	}
	f.Set(section, key, value)
}

func formatTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}
