package record

import (
	"errors"
	"fmt"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/ini"
)

// Where Maestral keeps what belongs to a link, by its own version:
//
//	                     1.0 – 1.4.7       1.4.8 – 1.6       1.7 and later
//	account_id           conf [account]    conf [auth]       conf [auth]
//	keyring              conf [app]        conf [auth]       conf [auth]
//	token_access_type    state [account]   state [auth]      conf [auth], never read
//
// 1.0 and 1.1 knew no token_access_type: all their tokens are legacy ones, and
// so are those of later versions without one. 1.7 dropped legacy tokens.
//
// From 1.4.8 on Maestral removes, whenever it starts, every key and section
// that it does not know from both files. What only we know is therefore in a
// file of our own.
const oldKeyringSection = "app"

func (l Layout) loadMaestral(config string) (Record, error) {
	conf, state, err := l.openMaestral(config, false)
	if err != nil {
		return Record{}, err
	}
	// A newer Maestral that has only looked at an old file has added [auth]
	// with an empty account to it; it moves the old keys when it starts.
	accounts, keyrings := auth, auth
	if id, _ := conf.Get(auth, "account_id"); id == "" && conf.Has(account, "account_id") {
		accounts, keyrings = account, oldKeyringSection
	}
	var r Record
	if r.AccountID, err = getID(conf.File, accounts, "account_id"); err != nil {
		return Record{}, conf.reword(err)
	}
	class, err := getID(conf.File, keyrings, "keyring")
	if err != nil {
		return Record{}, conf.reword(err)
	}
	r.Keyring = keyringID(class)
	if r.Empty() {
		return r, nil
	}
	if r.TokenAccessType, err = maestralType(conf, state, accounts); err != nil {
		return Record{}, err
	}
	r.Email, r.DisplayName = getText(state.File, account, "email"), getText(state.File, account, "display_name")
	if err := l.loadExtra(config, &r); err != nil {
		return Record{}, err
	}
	return r.complete(), nil
}

// maestralType finds the access type of a link. The state file goes first:
// versions that read a type at all read it there, while newer ones put their
// default into the other file without looking, and then remove it here.
func maestralType(conf, state *file, accounts string) (string, error) {
	if kind, err := getID(state.File, auth, "token_access_type"); kind != "" || err != nil {
		return kind, state.reword(err)
	}
	if accounts == auth && conf.Has(auth, "token_access_type") {
		kind, err := getID(conf.File, auth, "token_access_type")
		if kind == "" {
			// 1.7 and later empty it at an unlink and never fill it again.
			kind = Offline
		}
		return kind, conf.reword(err)
	}
	kind, err := getID(state.File, account, "token_access_type")
	return kind, state.reword(err)
}

// saveMaestral writes a link so that every Maestral from 1.4.8 on reads it,
// and an older one if the files are its own. The account comes last: until it
// is there, nothing is linked. The access type comes first: by then the
// keyring holds the new token.
func (l Layout) saveMaestral(config string, r Record) error {
	if r.Provider != DefaultProvider {
		return fmt.Errorf("Maestral links Dropbox accounts only, not %q", r.Provider)
	}
	conf, state, err := l.openMaestral(config, true)
	if err != nil {
		return err
	}
	if err := setMaestral(conf, auth, auth, r); err != nil {
		return err
	}
	conf.Set(auth, "token_access_type", r.TokenAccessType)
	state.Set(auth, "token_access_type", r.TokenAccessType)
	// The keys of the old places would be moved over the new ones by the next
	// update of Maestral.
	if conf.Has(account, "account_id") || conf.Has(oldKeyringSection, "keyring") {
		if err := setMaestral(conf, account, oldKeyringSection, r); err != nil {
			return err
		}
	}
	if state.Has(account, "token_access_type") {
		state.Set(account, "token_access_type", r.TokenAccessType)
	}
	setIfKnown(state.File, "email", r.Email)
	setIfKnown(state.File, "display_name", r.DisplayName)
	extra, err := l.editExtra(config, r)
	if err != nil {
		return err
	}
	return saveAll(state, extra, conf)
}

// saveAll writes several files in order, or, if one fails, none. A kill in the
// middle leaves the first ones written.
func saveAll(files ...*file) error {
	for i, f := range files {
		if err := f.save(); err != nil {
			for _, done := range files[:i] {
				err = errors.Join(err, done.restore())
			}
			return err
		}
	}
	return nil
}

func (l Layout) clearMaestral(config string) error {
	conf, state, err := l.openMaestral(config, true)
	if err != nil {
		return err
	}
	for _, at := range []struct {
		f              *file
		section, key   string
		valueOfNothing string
	}{
		{conf, auth, "account_id", ""},
		{conf, auth, "keyring", automatic},
		{conf, auth, "token_access_type", ""},
		{conf, account, "account_id", ""},
		{conf, oldKeyringSection, "keyring", automatic},
		{state, auth, "token_access_type", ""},
		{state, account, "token_access_type", ""},
		{state, account, "email", ""},
		{state, account, "display_name", ""},
	} {
		if at.f.Has(at.section, at.key) {
			at.f.Set(at.section, at.key, at.valueOfNothing)
		}
	}
	if err := saveAll(conf, state); err != nil {
		return err
	}
	return atomicfile.Remove(l.extraPath(config))
}

func (l Layout) openMaestral(config string, forWriting bool) (conf, state *file, err error) {
	if conf, err = open(l.ConfigPath(config), forWriting); err != nil {
		return nil, nil, err
	}
	if state, err = open(l.statePath(config), forWriting); err != nil {
		return nil, nil, err
	}
	return conf, state, nil
}

func setMaestral(conf *file, accounts, keyrings string, r Record) error {
	conf.Set(accounts, "account_id", r.AccountID)
	// A class that stands for the same keyring stays, but for the one that
	// Maestral can no longer load.
	present, _ := conf.Get(keyrings, "keyring")
	if keyringID(present) == r.Keyring && present != "" && present != "keyring.backends.OS_X.Keyring" {
		return nil
	}
	class := pythonClass(r.Keyring)
	if class == "" {
		return noClass(r.Keyring)
	}
	conf.Set(keyrings, "keyring", class)
	return nil
}

// setIfKnown writes what Maestral shows of the person; it looks it up itself
// when it starts.
func setIfKnown(state *ini.File, key, value string) {
	if value != "" || state.Has(account, key) {
		state.Set(account, key, value)
	}
}

// loadExtra reads what we know beyond Maestral. It counts only for the account
// that it was written for: Maestral may have linked another one since.
func (l Layout) loadExtra(config string, r *Record) error {
	extra, err := open(l.extraPath(config), false)
	if err != nil {
		return err
	}
	id, err := getID(extra.File, auth, "account_id")
	if err != nil {
		return extra.reword(err)
	}
	if id != r.AccountID {
		return nil
	}
	return extra.reword(readExtra(extra.File, r))
}

func (l Layout) editExtra(config string, r Record) (*file, error) {
	extra, err := open(l.extraPath(config), true)
	if err != nil {
		return nil, err
	}
	extra.Set(auth, "account_id", r.AccountID)
	writeExtra(extra.File, r)
	return extra, nil
}
