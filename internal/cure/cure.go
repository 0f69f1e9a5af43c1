// Package cure has errors bring the command along that mends what is wrong, as
// it can be typed.
package cure

import (
	"errors"
	"strings"
)

// cured is an error with its cure.
type cured struct {
	error
	command string
}

func (c *cured) Unwrap() error { return c.error }

// With returns err with a command that mends it. The text of err is to name the
// command too.
func With(err error, command string) error { return &cured{err, command} }

// Of returns the command that mends an error; "" where none is known.
func Of(err error) string {
	var c *cured
	if errors.As(err, &c) {
		return c.command
	}
	return ""
}

// Command puts words together as a shell reads them.
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = Quote(word)
	}
	return strings.Join(quoted, " ")
}
