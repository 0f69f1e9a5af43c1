package record

import (
	"fmt"
	"path/filepath"
	"time"
)

// Attempt is the note that a refresh token is being redeemed. It is written
// before the request leaves and removed once what came of it is safe: one that
// is found under the link's lock was left by a process that died in between,
// or that got no answer, and the server may or may not have acted.
type Attempt struct {
	// Fingerprint names the refresh token that was presented.
	Fingerprint string
	// Started is when it was first presented, by the wall clock.
	Started time.Time
	// Tries is how often it was presented without an answer that is known.
	Tries int
	// Process says which process did it, for people.
	Process string
}

type attemptNote struct {
	Version     int       `json:"version"`
	Fingerprint string    `json:"fingerprint"`
	Started     time.Time `json:"started_at"`
	Tries       int       `json:"tries"`
	Process     string    `json:"process,omitempty"`
}

// SaveAttempt notes, durably, that a refresh is about to be sent. The caller
// holds the link's lock.
func (l Layout) SaveAttempt(config string, a Attempt) error {
	if err := l.check(config); err != nil {
		return err
	}
	n := attemptNote{Version: noteVersion, Fingerprint: a.Fingerprint, Started: a.Started.UTC(), Tries: a.Tries, Process: cleanText(a.Process)}
	if err := writeNote(l.attemptPath(config), n); err != nil {
		return fmt.Errorf("could not note the refresh of %q: %w", config, err)
	}
	return nil
}

// LoadAttempt returns the refresh that was begun and not ended; ok tells
// whether there is one.
func (l Layout) LoadAttempt(config string) (a Attempt, ok bool, err error) {
	if err := l.check(config); err != nil {
		return Attempt{}, false, err
	}
	var n attemptNote
	found, err := readNote(l.attemptPath(config), &n)
	if !found && err == nil {
		return Attempt{}, false, nil
	}
	if err != nil {
		return Attempt{}, false, fmt.Errorf("could not read the note of a refresh of %q: %w", config, err)
	}
	return Attempt{Fingerprint: n.Fingerprint, Started: n.Started.UTC(), Tries: n.Tries, Process: cleanText(n.Process)}, true, nil
}

// DropAttempt forgets a refresh that was begun. None is no error.
func (l Layout) DropAttempt(config string) error {
	return l.dropNote(config, l.attemptPath(config), "the note of a refresh")
}

func (l Layout) attemptPath(config string) string {
	return filepath.Join(l.state, "attempts", config+".json")
}

func (n attemptNote) check() string {
	switch {
	case checkVersion(n.Version) != "":
		return checkVersion(n.Version)
	case n.Fingerprint == "" || checkID(n.Fingerprint) != "":
		return "it names no token"
	case n.Tries < 0 || n.Tries > 1000:
		return "its count of tries makes no sense"
	case n.Started.UTC().Year() < 0 || n.Started.UTC().Year() > 9999:
		// It could not be written again.
		return "its time makes no sense"
	}
	return ""
}
