package record

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// DefaultApp is the app whose links the command line tool keeps.
const DefaultApp = "authring"

// MaestralApp is the app whose layout is Maestral's own.
const MaestralApp = "Maestral"

// Layout says where the files of an app are. Make one with [NewLayout] or
// [LayoutIn]; the zero Layout answers every call with an error.
type Layout struct {
	app    string
	config string // the folder of the record files
	data   string // the folder of Maestral's state files; of no other app
	state  string // the folder of our own locks and notes
}

// NewLayout reads the environment. An app has its records in the folder of its
// name below $XDG_CONFIG_HOME (macOS: ~/Library/Application Support, Windows:
// %AppData%), and locks and notes below $XDG_STATE_HOME (macOS: the same
// folder, Windows: %LocalAppData%). As the XDG Base Directory Specification
// asks, a variable that is empty or holds a relative path counts as unset.
//
// The app "Maestral" means Maestral's own files: maestral/<config>.ini below
// $XDG_CONFIG_HOME and maestral/<config>.state below $XDG_DATA_HOME (macOS:
// both in ~/Library/Application Support). What Maestral does not know of is
// kept in authring/maestral below $XDG_STATE_HOME. There is no Maestral for
// Windows.
//
// It fails when the name cannot be an app's, or no home folder is known.
func NewLayout(app string) (Layout, error) {
	if err := checkName("app name", app); err != nil {
		return Layout{}, err
	}
	config, err := configHome()
	if err != nil {
		return Layout{}, err
	}
	state, err := stateHome()
	if err != nil {
		return Layout{}, err
	}
	if app != MaestralApp {
		if strings.EqualFold(app, MaestralApp) {
			return Layout{}, &NameError{Kind: "app name", Name: app,
				Reason: fmt.Sprintf("would put our records into the folder of Maestral, whose app name is %q", MaestralApp)}
		}
		return Layout{app: app, config: filepath.Join(config, app), state: filepath.Join(state, app)}, nil
	}
	data, err := maestralDataHome()
	if err != nil {
		return Layout{}, err
	}
	return Layout{
		app:    app,
		config: filepath.Join(config, "maestral"),
		data:   filepath.Join(data, "maestral"),
		state:  filepath.Join(state, DefaultApp, "maestral"),
	}, nil
}

// LayoutIn is the layout of an app whose records and state are in folders of
// the caller's choice, whatever the environment says: for a program with a
// folder of its own, and for trials that leave nothing behind. It is never
// Maestral's. It fails when the name cannot be an app's, or a path is relative.
func LayoutIn(app, configFolder, stateFolder string) (Layout, error) {
	if err := checkName("app name", app); err != nil {
		return Layout{}, err
	}
	for _, folder := range []string{configFolder, stateFolder} {
		if !filepath.IsAbs(folder) {
			return Layout{}, fmt.Errorf("could not keep records in %q: the path is not absolute", folder)
		}
	}
	return Layout{app: app, config: configFolder, state: stateFolder}, nil
}

// App is the app's name.
func (l Layout) App() string { return l.app }

// Service is the service name of the app's items in the keyring.
func (l Layout) Service() string { return l.app }

// Maestral reports whether the records are Maestral's own files.
func (l Layout) Maestral() bool { return l.data != "" }

// ConfigFolder holds the record files.
func (l Layout) ConfigFolder() string { return l.config }

// StateFolder holds locks and notes.
func (l Layout) StateFolder() string { return l.state }

// ConfigPath is the record file of a link. Like the other paths it is empty
// for a name that [CheckConfigName] refuses.
func (l Layout) ConfigPath(config string) string { return l.path(l.config, config, ".ini") }

// LockPath is the file whose lock (package filelock) guards a link.
func (l Layout) LockPath(config string) string {
	return l.path(filepath.Join(l.state, "locks"), config, ".lock")
}

// PendingPath is the file of a link that was begun.
func (l Layout) PendingPath(config string) string {
	return l.path(filepath.Join(l.state, "pending"), config, ".json")
}

// OldUserNames returns user names, newest first, under which older versions of
// Maestral kept the token of a link. Such an item is to be read only where the
// one of [UserName] is not found.
func (l Layout) OldUserNames(config, accountID string) []string {
	if !l.Maestral() || accountID == "" || l.check(config) != nil {
		return nil
	}
	// Before 1.3.0. The "MaestralUser" of 0.2.0 names no account, so its
	// token could be anybody's.
	return []string{accountID}
}

// statePath is Maestral's second file.
func (l Layout) statePath(config string) string { return l.path(l.data, config, ".state") }

// extraPath is where we keep what Maestral would drop from its own files.
func (l Layout) extraPath(config string) string {
	return l.path(filepath.Join(l.state, "links"), config, ".ini")
}

func (l Layout) path(folder, config, suffix string) string {
	if l.check(config) != nil {
		return ""
	}
	return filepath.Join(folder, config+suffix)
}

func (l Layout) check(config string) error {
	if l.app == "" {
		return errors.New("record: a Layout that NewLayout did not make")
	}
	return CheckConfigName(config)
}
