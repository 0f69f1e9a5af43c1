package record

import (
	"fmt"
	"path/filepath"
	"time"
)

// RefreshLife is what is known, beyond the record, of how long the refresh
// token of a link lives. It is a note of its own, since it changes with each
// refresh.
type RefreshLife struct {
	// Linked is the time of the record that it is about. A note of another
	// time is about a link that is gone.
	Linked time.Time
	// Used is when the token, or the one before it, was last redeemed.
	Used time.Time
	// Expires is when the server said that the token ends; zero: it did not.
	Expires time.Time
	// Fixed: that time was not moved by a refresh.
	Fixed bool
}

type lifeNote struct {
	Version int       `json:"version"`
	Linked  time.Time `json:"linked_at,omitzero"`
	Used    time.Time `json:"used_at"`
	Expires time.Time `json:"expires_at,omitzero"`
	Fixed   bool      `json:"fixed,omitempty"`
}

// SaveRefreshLife writes the note. The caller holds the link's lock.
func (l Layout) SaveRefreshLife(config string, r RefreshLife) error {
	if err := l.check(config); err != nil {
		return err
	}
	n := lifeNote{Version: noteVersion, Linked: r.Linked.UTC(), Used: r.Used.UTC(), Expires: r.Expires.UTC(), Fixed: r.Fixed}
	if err := writeNote(l.lifePath(config), n); err != nil {
		return fmt.Errorf("could not note when %q was used: %w", config, err)
	}
	return nil
}

// LoadRefreshLife reads the note; ok tells whether there is one of the link that
// was made at linked.
func (l Layout) LoadRefreshLife(config string, linked time.Time) (r RefreshLife, ok bool, err error) {
	if err := l.check(config); err != nil {
		return RefreshLife{}, false, err
	}
	var n lifeNote
	found, err := readNote(l.lifePath(config), &n)
	if err != nil {
		return RefreshLife{}, false, fmt.Errorf("could not read when %q was used: %w", config, err)
	}
	if !found || !n.Linked.Equal(linked) {
		return RefreshLife{}, false, nil
	}
	return RefreshLife{Linked: n.Linked, Used: n.Used, Expires: n.Expires, Fixed: n.Fixed}, true, nil
}

// DropRefreshLife forgets the note. None is no error.
func (l Layout) DropRefreshLife(config string) error {
	return l.dropNote(config, l.lifePath(config), "the time of use")
}

func (l Layout) lifePath(config string) string {
	return filepath.Join(l.state, "lifetimes", config+".json")
}

func (n lifeNote) check() string {
	if reason := checkVersion(n.Version); reason != "" {
		return reason
	}
	for _, at := range []time.Time{n.Linked, n.Used, n.Expires} {
		if year := at.UTC().Year(); year < 0 || year > 9999 {
			// It could not be written again.
			return "one of its times makes no sense"
		}
	}
	return ""
}
