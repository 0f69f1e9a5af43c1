// Package rcloneconf reads the remotes of an rclone.conf, and writes one
// remote, as far as grants of Dropbox are concerned.
//
// The file is of lines: "[remote]", then "key = value" or "key: value"; lines
// that begin with # or ; are comments; of two values of a key the last counts.
// White space around names and values is none of theirs. A key may stand in
// quotes, and a value in backquotes or three double ones; rclone writes none of
// these, and reads them.
package rcloneconf

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrEncrypted: rclone has encrypted the file.
var ErrEncrypted = errors.New("the file is encrypted by rclone")

// SyntaxError is a line that rclone would refuse as well.
type SyntaxError struct {
	Line   int // 1 is the first
	Reason string
}

// Error gives the line and what is wrong with it, never its text.
func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Remote is a remote with its values, some of which are secrets.
type Remote struct {
	Name   string
	values map[string]string
}

// Type is the kind of storage: "dropbox".
func (r Remote) Type() string { return r.values["type"] }

// Get returns a value, or "".
func (r Remote) Get(key string) string { return r.values[key] }

// String is the name: the values stay hidden.
func (r Remote) String() string { return r.Name }

// GoString hides the values as well.
func (r Remote) GoString() string { return fmt.Sprintf("rcloneconf.Remote{%q}", r.Name) }

// encrypted begins the first line that counts of an encrypted file; the version
// of the encryption follows.
const encrypted = "RCLONE_ENCRYPT_V"

// Parse reads a whole file and returns its remotes in order. The errors are
// [ErrEncrypted] and [*SyntaxError].
//
// What stands before the first remote is passed over, as rclone does: its own
// question for a password, say, if its output was written to a file.
func Parse(data []byte) ([]Remote, error) {
	var remotes []Remote
	at := map[string]int{}
	current := -1
	for i, line := range strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case current < 0 && strings.HasPrefix(line, encrypted):
			return nil, ErrEncrypted
		case !utf8.ValidString(line):
			return nil, errors.New("it is not UTF-8 text")
		case line[0] == '[' && line[len(line)-1] == ']':
			name := strings.TrimSpace(line[1 : len(line)-1])
			if name == "" {
				return nil, &SyntaxError{Line: i + 1, Reason: "a remote without a name"}
			}
			if _, known := at[name]; !known {
				at[name] = len(remotes)
				remotes = append(remotes, Remote{Name: name, values: map[string]string{}})
			}
			current = at[name]
		default:
			key, value, reason := pair(line)
			if reason != "" {
				return nil, &SyntaxError{Line: i + 1, Reason: reason}
			}
			if current >= 0 {
				remotes[current].values[key] = value
			}
		}
	}
	return remotes, nil
}

// The quotes of keys and of values; of two that fit the first counts.
var (
	keyQuotes   = []string{`"""`, `"`, "`"}
	valueQuotes = []string{`"""`, "`"}
)

// pair splits a line into key and value, or gives the reason why it cannot.
func pair(line string) (key, value, reason string) {
	const open = "a quote that does not end"
	quote := opening(line, keyQuotes)
	closing := strings.Index(line[len(quote):], quote)
	if closing < 0 {
		return "", "", open
	}
	from := 0 // where the = is looked for
	if quote != "" {
		from = len(quote) + closing
		key = line[len(quote):from]
	}
	end := strings.IndexAny(line[from:], "=:")
	if end < 0 || end == 0 && quote == "" {
		return "", "", "neither a [remote] nor key = value"
	}
	if quote == "" {
		key = strings.TrimSpace(line[:end])
	}
	value = strings.TrimSpace(line[from+end+1:])
	if quote = opening(value, valueQuotes); quote != "" {
		inside := value[len(quote):]
		// The last one ends it: rclone knows no escapes.
		if closing = strings.LastIndex(inside, quote); closing < 0 {
			return "", "", open
		}
		value = inside[:closing]
	}
	return key, value, ""
}

// opening is the quote that begins text, or "". A text too short to be closed
// begins with none.
func opening(text string, quotes []string) string {
	for _, quote := range quotes {
		if len(text) >= 2*len(quote) && strings.HasPrefix(text, quote) {
			return quote
		}
	}
	return ""
}
