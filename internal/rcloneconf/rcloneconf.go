// Package rcloneconf reads the remotes of an rclone.conf, and writes one
// remote, as far as grants of Dropbox are concerned.
//
// The file is of lines: "[remote]", then "key = value" or "key: value"; lines
// that begin with # or ; are comments; of two values of a key the last counts.
// White space around names and values is none of theirs.
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
func Parse(data []byte) ([]Remote, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8 text")
	}
	var remotes []Remote
	at := map[string]int{}
	current := -1
	for i, line := range strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case current < 0 && strings.HasPrefix(line, encrypted):
			return nil, ErrEncrypted
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
		case current < 0:
			return nil, &SyntaxError{Line: i + 1, Reason: "text before the first [remote]"}
		default:
			end := strings.IndexAny(line, "=:")
			if end <= 0 {
				return nil, &SyntaxError{Line: i + 1, Reason: "neither a [remote] nor key = value"}
			}
			remotes[current].values[strings.TrimSpace(line[:end])] = strings.TrimSpace(line[end+1:])
		}
	}
	return remotes, nil
}
