package record

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/keyring"
)

// PendingRevocation is a grant that was unlinked here and is still valid at
// its provider. The token itself stays in the keyring until it is revoked.
type PendingRevocation struct {
	// ID names the note. It is random, of letters and digits, such as
	// crypto/rand.Text gives.
	ID               string
	Config           string // the link that it was
	AccountID        string
	Provider, AppKey string
	TokenAccessType  string     // what kind of token the keyring holds
	Keyring          keyring.ID // where the token is
	User             string     // the user name of its item there
	Since            time.Time  // when it was unlinked
}

type revocationNote struct {
	Version         int        `json:"version"`
	ID              string     `json:"id"`
	Config          string     `json:"config"`
	AccountID       string     `json:"account_id"`
	Provider        string     `json:"provider,omitempty"`
	AppKey          string     `json:"app_key,omitempty"`
	TokenAccessType string     `json:"token_access_type"`
	Keyring         keyring.ID `json:"keyring"`
	User            string     `json:"keyring_user"`
	Since           time.Time  `json:"since"`
}

// AddRevocation notes, durably, a grant that is still to be revoked. A note of
// the same ID is replaced, so that a step that was cut short can be repeated.
func (l Layout) AddRevocation(p PendingRevocation) error {
	n := revocationNote{
		Version: noteVersion, ID: p.ID, Config: p.Config, AccountID: p.AccountID, Provider: p.Provider, AppKey: p.AppKey,
		TokenAccessType: p.TokenAccessType, Keyring: p.Keyring, User: p.User, Since: p.Since.UTC(),
	}
	err := l.check(p.Config)
	if err == nil {
		err = writeNote(l.revocationPath(p.ID), n)
	}
	if err != nil {
		return fmt.Errorf("could not note the revocation of %q: %w", p.Config, err)
	}
	return nil
}

// Revocations returns the grants that are still to be revoked, oldest first.
// With an error it still returns those whose notes are in order.
func (l Layout) Revocations() ([]PendingRevocation, error) {
	if l.app == "" {
		return nil, l.check("")
	}
	entries, err := os.ReadDir(filepath.Join(l.state, "revocations"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("could not list pending revocations: %w", err)
	}
	var pending []PendingRevocation
	var errs []error
	for _, entry := range entries {
		id, isNote := strings.CutSuffix(entry.Name(), ".json")
		if !isNote || checkRevocationID(id) != "" {
			continue
		}
		var n revocationNote
		path := l.revocationPath(id)
		found, err := readNote(path, &n)
		if !found && err == nil {
			continue // another process has just dealt with it
		}
		if err == nil && n.ID != id {
			err = &FileError{Path: path, Reason: "it is for another note"}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("could not read a pending revocation: %w", err))
			continue
		}
		pending = append(pending, PendingRevocation{
			ID: n.ID, Config: n.Config, AccountID: n.AccountID, Provider: n.Provider, AppKey: n.AppKey,
			TokenAccessType: n.TokenAccessType, Keyring: n.Keyring, User: n.User, Since: n.Since,
		})
	}
	slices.SortFunc(pending, func(a, b PendingRevocation) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID))
	})
	return pending, errors.Join(errs...)
}

// RemoveRevocation forgets a note, once its grant is revoked or given up. None
// is no error.
func (l Layout) RemoveRevocation(id string) error {
	if l.app == "" {
		return l.check("")
	}
	if reason := checkRevocationID(id); reason != "" {
		return fmt.Errorf("could not forget a pending revocation: %s", reason)
	}
	if err := atomicfile.Remove(l.revocationPath(id)); err != nil {
		return fmt.Errorf("could not forget a pending revocation: %w", err)
	}
	return nil
}

// revocationPath is for identifiers that were checked.
func (l Layout) revocationPath(id string) string {
	return filepath.Join(l.state, "revocations", id+".json")
}

// checkRevocationID keeps out what would not be a file name.
func checkRevocationID(id string) string {
	other := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if id == "" || len(id) > longestName || strings.ContainsFunc(id, other) {
		return "its identifier is not of letters and digits"
	}
	return ""
}

func (n revocationNote) check() string {
	if reason := checkVersion(n.Version); reason != "" {
		return reason
	}
	if reason := checkRevocationID(n.ID); reason != "" {
		return reason
	}
	if n.User == "" || n.Keyring == "" {
		return "it does not say where the token is"
	}
	if err := CheckConfigName(n.Config); err != nil {
		return err.Error()
	}
	for _, id := range []string{n.AccountID, n.Provider, n.AppKey, n.TokenAccessType, string(n.Keyring)} {
		if reason := checkID(id); reason != "" {
			return "one of its names " + reason
		}
	}
	if reason := checkLine(n.User, len("config::")+longestName+longestID); reason != "" {
		return "its user name " + reason
	}
	return ""
}
