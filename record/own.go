package record

import (
	"strings"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/ini"
)

// The sections of a record file.
const (
	auth    = "auth"    // the link
	account = "account" // the person
)

func (l Layout) loadOwn(config string) (Record, error) {
	f, err := open(l.ConfigPath(config), false)
	if err != nil {
		return Record{}, err
	}
	var r Record
	if r.AccountID, err = getID(f.File, auth, "account_id"); err != nil {
		return Record{}, f.reword(err)
	}
	name, err := getID(f.File, auth, "keyring")
	if err != nil {
		return Record{}, f.reword(err)
	}
	r.Keyring = keyringID(name)
	if r.TokenAccessType, err = getID(f.File, auth, "token_access_type"); err != nil {
		return Record{}, f.reword(err)
	}
	if err := readExtra(f.File, &r); err != nil {
		return Record{}, f.reword(err)
	}
	r.Email, r.DisplayName = getText(f.File, account, "email"), getText(f.File, account, "display_name")
	return r.complete(), nil
}

func (l Layout) saveOwn(config string, r Record) error {
	f, err := open(l.ConfigPath(config), true)
	if err != nil {
		return err
	}
	f.Set(auth, "account_id", r.AccountID)
	// A Python class that we understand may stand for the same keyring.
	if name, _ := f.Get(auth, "keyring"); r.Keyring == "" || keyringID(name) != r.Keyring {
		setOrDelete(f.File, auth, "keyring", string(r.Keyring))
	}
	f.Set(auth, "token_access_type", r.TokenAccessType)
	f.Set(auth, "provider", r.Provider)
	writeExtra(f.File, r)
	setOrDelete(f.File, account, "email", r.Email)
	setOrDelete(f.File, account, "display_name", r.DisplayName)
	f.Prune(account)
	return f.save()
}

func (l Layout) clearOwn(config string) error {
	f, err := open(l.ConfigPath(config), true)
	if err != nil || !f.found {
		return err
	}
	for _, key := range []string{
		"account_id", "keyring", "token_access_type", "provider", "app_key", "scope", "scope_missing",
		"linked_at", "revoked_at", "revoked_reason", "revoked_fingerprint",
	} {
		f.Delete(auth, key)
	}
	f.Delete(account, "email")
	f.Delete(account, "display_name")
	f.Prune(auth)
	f.Prune(account)
	// Where the file is a symbolic link, removing either end would leave half
	// of somebody's arrangement: the file is emptied.
	if f.IsBlank() && f.target == f.path {
		return atomicfile.Remove(f.path)
	}
	return f.save()
}

// readExtra reads what Maestral's files have no place for.
func readExtra(f *ini.File, r *Record) error {
	var err error
	if r.Provider, err = getID(f, auth, "provider"); err != nil {
		return err
	}
	if r.AppKey, err = getID(f, auth, "app_key"); err != nil {
		return err
	}
	scope, _ := f.Get(auth, "scope")
	r.Scope = strings.Join(strings.Fields(scope), " ")
	missing, _ := f.Get(auth, "scope_missing")
	r.ScopeMissing = strings.Join(strings.Fields(missing), " ")
	r.Linked = getTime(f, auth, "linked_at")
	// A grant that was void does not become valid by a time that is written
	// badly.
	if f.Has(auth, "revoked_at") {
		r.Revoked = &Revocation{
			At: getTime(f, auth, "revoked_at"), Reason: getText(f, auth, "revoked_reason"),
			Fingerprint: getText(f, auth, "revoked_fingerprint"),
		}
	}
	return nil
}

func writeExtra(f *ini.File, r Record) {
	setOrDelete(f, auth, "app_key", r.AppKey)
	setOrDelete(f, auth, "scope", r.Scope)
	setOrDelete(f, auth, "scope_missing", r.ScopeMissing)
	setOrDelete(f, auth, "linked_at", formatTime(r.Linked))
	if r.Revoked == nil {
		f.Delete(auth, "revoked_at")
		f.Delete(auth, "revoked_reason")
		f.Delete(auth, "revoked_fingerprint")
		return
	}
	f.Set(auth, "revoked_at", formatTime(r.Revoked.At))
	setOrDelete(f, auth, "revoked_reason", r.Revoked.Reason)
	setOrDelete(f, auth, "revoked_fingerprint", r.Revoked.Fingerprint)
}

// complete fills in what a missing key means.
func (r Record) complete() Record {
	if !r.Empty() {
		if r.TokenAccessType == "" {
			r.TokenAccessType = Legacy
		}
		if r.Provider == "" {
			r.Provider = DefaultProvider
		}
	}
	return r
}
