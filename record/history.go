package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/keyring"
)

const (
	// HistoryLength is how many events of a link are kept.
	HistoryLength = 20
	// historySlack is how many more may stand in the file before it is cut.
	historySlack = 40
	// longestDetail bounds each text of an event, in bytes, and longestEvent one
	// line of the file, in which a character may be written with six.
	longestDetail = 200
	longestEvent  = 8 << 10
)

// What happened to a link.
const (
	EventLinked    = "linked"
	EventRelinked  = "relinked"
	EventRefreshed = "refreshed"
	EventRotated   = "rotated"  // refreshed, and the refresh token replaced
	EventAdopted   = "adopted"  // another process had replaced the refresh token
	EventInDoubt   = "in-doubt" // a request whose answer never came
	EventRevoked   = "revoked"
	EventMigrated  = "migrated"
	EventFailed    = "failed"
	EventUnlinked  = "unlinked"
)

// Event is one thing that happened to a link, without a secret.
type Event struct {
	At   time.Time `json:"at"`
	What string    `json:"event"`
	// Fingerprint names the refresh token that the link had afterwards.
	Fingerprint string     `json:"fingerprint,omitempty"`
	Keyring     keyring.ID `json:"keyring,omitempty"`
	Process     string     `json:"process,omitempty"` // which process did it
	Detail      string     `json:"detail,omitempty"`  // why, or what the server said
}

// AppendHistory adds an event to the history of a link, which keeps the last
// [HistoryLength]. The caller holds the link's lock. The file is not synced:
// an event that a power cut takes is no loss of anything else.
func (l Layout) AppendHistory(config string, e Event) error {
	if err := l.check(config); err != nil {
		return err
	}
	if err := l.appendHistory(l.historyPath(config), e); err != nil {
		return fmt.Errorf("could not write the history of %q: %w", config, err)
	}
	return nil
}

func (l Layout) appendHistory(path string, e Event) error {
	line, err := e.line()
	if err != nil {
		return err
	}
	if err := atomicfile.MakeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	data, _, err := readBounded(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		// Damaged beyond reading: a new history is better than none.
		return atomicfile.Write(path, line, 0o600)
	}
	addition := line
	if len(data) > 0 && data[len(data)-1] != '\n' {
		// A write that was cut short must not take this one with it.
		data = append(data, '\n')
		addition = append([]byte("\n"), line...)
	}
	if n := bytes.Count(data, []byte("\n")); n >= HistoryLength+historySlack {
		lines := bytes.SplitAfter(data, []byte("\n"))
		kept := bytes.Join(lines[n-HistoryLength+1:], nil)
		return atomicfile.Write(path, append(kept, line...), 0o600)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(addition)
	return errors.Join(err, f.Close())
}

// line is the event as one line, each text cut so that it fits.
func (e Event) line() ([]byte, error) {
	e.At = e.At.UTC()
	for _, text := range []*string{&e.What, &e.Fingerprint, &e.Process, &e.Detail} {
		*text = cut(cleanText(*text), longestDetail)
	}
	e.Keyring = keyring.ID(cut(cleanText(string(e.Keyring)), 64))
	line, err := json.Marshal(e)
	return append(line, '\n'), err
}

// History returns the last events of a link, oldest first. Lines that cannot
// be read are left out: a history is for looking at, and must not stand in the
// way of anything.
func (l Layout) History(config string) ([]Event, error) {
	if err := l.check(config); err != nil {
		return nil, err
	}
	data, _, err := readBounded(l.historyPath(config))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("could not read the history of %q: %w", config, err)
	}
	return parseHistory(data), nil
}

func parseHistory(data []byte) []Event {
	var events []Event
	for line := range bytes.Lines(data) {
		var e Event
		if len(line) > longestEvent || json.Unmarshal(line, &e) != nil || e.What == "" {
			continue
		}
		// What is read may be shown on a terminal.
		for _, text := range []*string{&e.What, &e.Fingerprint, &e.Process, &e.Detail} {
			*text = cleanText(*text)
		}
		e.Keyring = keyring.ID(cleanText(string(e.Keyring)))
		events = append(events, e)
	}
	return events[max(0, len(events)-HistoryLength):]
}

func (l Layout) historyPath(config string) string {
	return filepath.Join(l.state, "history", config+".jsonl")
}

// cut shortens a text to at most n bytes, at a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	end := 0
	for i := range text {
		if i > n-len("…") {
			break
		}
		end = i
	}
	return text[:end] + "…"
}
