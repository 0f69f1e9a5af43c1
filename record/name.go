package record

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

const longestName = 64

// NameError is a name that cannot be that of a link or an app.
type NameError struct {
	Kind   string // "config name" or "app name"
	Name   string
	Reason string
}

// Error gives the name, what is wrong with it, and what is allowed.
func (e *NameError) Error() string {
	return fmt.Sprintf("%s %.80q %s; use at most %d bytes of letters, digits and signs such as - _ . @ +",
		e.Kind, e.Name, e.Reason, longestName)
}

// CheckConfigName returns a [*NameError] for a name that cannot be a config
// name. Names become file names and parts of keyring user names, on every
// system: no white space, no control or invisible characters, none of
// / \ : * ? " < > |, no "..", no "-" or "." in front, no "." at the end, at
// most 64 bytes.
func CheckConfigName(name string) error {
	return checkName("config name", name)
}

func checkName(kind, name string) error {
	reason := ""
	switch {
	case name == "":
		reason = "is empty"
	case len(name) > longestName:
		reason = fmt.Sprintf("has %d bytes", len(name))
	case !utf8.ValidString(name):
		reason = "is not UTF-8 text"
	case strings.Contains(name, ".."):
		reason = `holds ".."`
	case name[0] == '-' || name[0] == '.':
		reason = fmt.Sprintf("starts with %q", name[:1])
	case strings.HasSuffix(name, "."):
		// Windows drops it.
		reason = `ends with "."`
	default:
		for _, r := range name {
			if unicode.IsSpace(r) {
				reason = "holds white space"
			} else if !unicode.IsPrint(r) || strings.ContainsRune(`/\:*?"<>|`, r) {
				reason = fmt.Sprintf("holds %q", r)
			}
		}
		// The names of devices on Windows.
		if reason == "" && !filepath.IsLocal(name) {
			reason = "is reserved by the operating system"
		}
	}
	if reason == "" {
		return nil
	}
	return &NameError{Kind: kind, Name: name, Reason: reason}
}
