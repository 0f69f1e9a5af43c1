package record

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/authring/authring/keyring"
)

// Intent is the note that a link is being saved: written before the secret,
// and removed after the record. One that is found under the link's lock was
// left by a process that died in between. If the keyring then holds the secret
// that it names, the link is complete but for its record.
type Intent struct {
	Record Record
	// Fingerprint names the secret that the keyring is to hold.
	Fingerprint string
	// OldAccountID and OldKeyring tell where the secret of the link before is,
	// if that is another place: it is to be deleted once the link is saved.
	OldAccountID string
	OldKeyring   keyring.ID
	// Migration: the secret is the one of the link before, which moves to
	// another keyring.
	Migration bool
	// Used: a move could not be settled, and the link was used where it was. A
	// refresh there may have made what the other keyring holds a stale copy.
	Used bool
}

// Unsettled reports whether the link that r describes is still where a move was
// to take it from.
func (i Intent) Unsettled(r Record) bool {
	return i.Migration && r.Keyring == i.OldKeyring && r.AccountID == i.OldAccountID
}

type intentNote struct {
	Version         int        `json:"version"`
	Fingerprint     string     `json:"fingerprint"`
	AccountID       string     `json:"account_id"`
	Keyring         keyring.ID `json:"keyring"`
	TokenAccessType string     `json:"token_access_type"`
	Provider        string     `json:"provider"`
	AppKey          string     `json:"app_key"`
	Scope           string     `json:"scope,omitempty"`
	ScopeMissing    string     `json:"scope_missing,omitempty"`
	Email           string     `json:"email,omitempty"`
	DisplayName     string     `json:"display_name,omitempty"`
	Linked          time.Time  `json:"linked_at"`
	OldAccountID    string     `json:"old_account_id,omitempty"`
	OldKeyring      keyring.ID `json:"old_keyring,omitempty"`
	Migration       bool       `json:"migration,omitempty"`
	Used            bool       `json:"used,omitempty"`
}

// SaveIntent notes, durably, that a link is about to be saved. The caller
// holds the link's lock.
func (l Layout) SaveIntent(config string, i Intent) error {
	if err := l.check(config); err != nil {
		return err
	}
	r, err := i.Record.clean()
	if err == nil {
		n := intentNote{
			Version: noteVersion, Fingerprint: i.Fingerprint, AccountID: r.AccountID, Keyring: r.Keyring,
			TokenAccessType: r.TokenAccessType, Provider: r.Provider, AppKey: r.AppKey, Scope: r.Scope, ScopeMissing: r.ScopeMissing,
			Email: r.Email, DisplayName: r.DisplayName, Linked: r.Linked.UTC(),
			OldAccountID: i.OldAccountID, OldKeyring: i.OldKeyring, Migration: i.Migration, Used: i.Used,
		}
		err = writeNote(l.intentPath(config), n)
	}
	if err != nil {
		return fmt.Errorf("could not note that %q is being changed: %w", config, err)
	}
	return nil
}

// LoadIntent returns the link that was being saved; ok tells whether there is
// one.
func (l Layout) LoadIntent(config string) (i Intent, ok bool, err error) {
	if err := l.check(config); err != nil {
		return Intent{}, false, err
	}
	var n intentNote
	found, err := readNote(l.intentPath(config), &n)
	if !found && err == nil {
		return Intent{}, false, nil
	}
	r := Record{
		AccountID: n.AccountID, Keyring: n.Keyring, TokenAccessType: n.TokenAccessType, Provider: n.Provider,
		AppKey: n.AppKey, Scope: n.Scope, ScopeMissing: n.ScopeMissing, Email: n.Email, DisplayName: n.DisplayName, Linked: n.Linked,
	}
	if err == nil {
		r, err = r.clean()
	}
	if err != nil {
		return Intent{}, false, fmt.Errorf("could not read the note that %q is being changed: %w", config, err)
	}
	return Intent{
		Record: r, Fingerprint: n.Fingerprint, OldAccountID: n.OldAccountID, OldKeyring: n.OldKeyring, Migration: n.Migration, Used: n.Used,
	}, true, nil
}

// DropIntent forgets a link that was being saved. None is no error.
func (l Layout) DropIntent(config string) error {
	return l.dropNote(config, l.intentPath(config), "the unfinished link")
}

func (l Layout) intentPath(config string) string {
	return filepath.Join(l.state, "intents", config+".json")
}

func (n intentNote) check() string {
	switch {
	case checkVersion(n.Version) != "":
		return checkVersion(n.Version)
	case n.Fingerprint == "" || checkID(n.Fingerprint) != "":
		return "it names no secret"
	case n.AccountID == "" || n.Keyring == "":
		return "it does not say whose secret is where"
	case checkID(n.OldAccountID) != "" || checkID(string(n.OldKeyring)) != "":
		return "it does not say where the secret before is"
	}
	return ""
}
