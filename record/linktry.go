package record

import (
	"fmt"
	"path/filepath"
	"time"
)

// LinkTry is what processes that make the same link tell each other. It holds
// no secret. The times are of the wall clock.
type LinkTry struct {
	// Process says which process has the turn, or had it last, for people,
	// and Since from when on.
	Process string
	Since   time.Time
	// Opened is when a browser was last opened.
	Opened time.Time
	// Failures counts the tries without a person that failed one after the
	// other, and Failed is when the last of them did.
	Failures int
	Failed   time.Time
}

type linkTryNote struct {
	Version  int       `json:"version"`
	Process  string    `json:"process,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Opened   time.Time `json:"opened_at,omitzero"`
	Failures int       `json:"failures,omitempty"`
	Failed   time.Time `json:"failed_at,omitzero"`
}

// LinkTurnPath is the file whose lock (package filelock) one process has while
// it makes a link.
func (l Layout) LinkTurnPath(config string) string {
	return l.path(filepath.Join(l.state, "linking"), config, ".lock")
}

func (l Layout) linkTryPath(config string) string {
	return l.path(filepath.Join(l.state, "linking"), config, ".json")
}

// SaveLinkTry writes the note. The caller has the turn.
func (l Layout) SaveLinkTry(config string, t LinkTry) error {
	if err := l.check(config); err != nil {
		return err
	}
	n := linkTryNote{
		Version: noteVersion, Process: cleanText(t.Process), Since: t.Since.UTC(), Opened: t.Opened.UTC(),
		Failures: t.Failures, Failed: t.Failed.UTC(),
	}
	if err := writeNote(l.linkTryPath(config), n); err != nil {
		return fmt.Errorf("could not note that %q is being linked: %w", config, err)
	}
	return nil
}

// LoadLinkTry reads the note; there being none is the zero LinkTry. One that
// cannot be understood is a [*FileError].
func (l Layout) LoadLinkTry(config string) (LinkTry, error) {
	if err := l.check(config); err != nil {
		return LinkTry{}, err
	}
	var n linkTryNote
	if found, err := readNote(l.linkTryPath(config), &n); err != nil {
		return LinkTry{}, fmt.Errorf("could not read how far the link of %q is: %w", config, err)
	} else if !found {
		return LinkTry{}, nil
	}
	return LinkTry{Process: cleanText(n.Process), Since: n.Since, Opened: n.Opened, Failures: n.Failures, Failed: n.Failed}, nil
}

// DropLinkTry forgets the note. None is no error.
func (l Layout) DropLinkTry(config string) error {
	return l.dropNote(config, l.linkTryPath(config), "the tries to make the link")
}

func (n linkTryNote) check() string {
	if n.Failures < 0 {
		return "its count is less than none"
	}
	return checkVersion(n.Version)
}
