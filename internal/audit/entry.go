// Package audit keeps a log of who asked for tokens, and what they were
// answered: lines of JSON in a file of the user's, bounded, without a secret.
package audit

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Answers.
const (
	Allowed = "allowed"
	Denied  = "denied"
	Failed  = "failed" // allowed, and there was no token to be had
)

// Entry is one answer, or several of the same kind. It is what a line holds.
type Entry struct {
	At     time.Time `json:"at"`
	Answer string    `json:"answer"`
	What   string    `json:"what"` // token, proxy, …

	App    string `json:"app,omitempty"` // of the link; empty: authring
	Config string `json:"config"`

	PID        int    `json:"pid,omitempty"`
	Executable string `json:"executable,omitempty"`
	Via        int    `json:"via,omitempty"` // the PID of the authring that asked for it
	Cgroup     string `json:"cgroup,omitempty"`

	Scope   string `json:"scope,omitempty"`   // what was asked for; empty: all
	Granted string `json:"granted,omitempty"` // what was given, where that is less
	Rule    string `json:"rule,omitempty"`
	Reason  string `json:"reason,omitempty"`

	// Count is how many further answers of this kind the entry stands for, to
	// requests within a minute of its time.
	Count int `json:"count,omitempty"`
}

// longestText bounds each text of an entry, in bytes.
const longestText = 400

// texts are the texts of an entry, which others chose.
func (e *Entry) texts() []*string {
	return []*string{&e.Answer, &e.What, &e.App, &e.Config, &e.Executable, &e.Cgroup, &e.Scope, &e.Granted, &e.Rule, &e.Reason}
}

// clean makes the texts fit for a line and for a terminal.
func (e *Entry) clean() {
	for _, text := range e.texts() {
		*text = clean(*text)
	}
}

func clean(text string) string {
	if len(text) <= longestText && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return text
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != utf8.RuneError {
			return r
		}
		return '?'
	}, strings.ToValidUTF8(text, "?"))
	if len(text) <= longestText {
		return text
	}
	end := longestText - len("…")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// kind is the same for entries that one can stand for. The process is none of
// it: a program that is started again and again must not push the others out
// of the log.
func (e Entry) kind() Entry {
	e.At, e.PID, e.Via, e.Count = time.Time{}, 0, 0, 0
	return e
}

// line is the entry as a line.
func (e Entry) line() ([]byte, error) {
	e.At = e.At.UTC().Truncate(time.Millisecond)
	line, err := json.Marshal(e)
	return append(line, '\n'), err
}
