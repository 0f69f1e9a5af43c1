package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Load reads the record of a link, and changes nothing. No file is a zero
// Record and no error. A file that is broken, or not to be trusted, is a
// [*FileError].
func (l Layout) Load(config string) (Record, error) {
	if err := l.check(config); err != nil {
		return Record{}, err
	}
	load := l.loadOwn
	if l.Maestral() {
		load = l.loadMaestral
	}
	r, err := load(config)
	if err != nil {
		return Record{}, fmt.Errorf("could not read the record of %q: %w", config, err)
	}
	return r, nil
}

// Save writes the record of a link durably, in place of an earlier one. What
// else is in its file is kept, and so is the file's mode; a new file has mode
// 0600. On an error the old record stands; of Maestral's two files, which
// cannot be replaced in one step, the one that was written already is put
// back. Text for people is cleaned of what
// does not fit a line; an identifier that does not fit is an error, and so is
// a record without an account.
func (l Layout) Save(config string, r Record) error {
	if err := l.check(config); err != nil {
		return err
	}
	r, err := r.clean()
	if err == nil {
		if l.Maestral() {
			err = l.saveMaestral(config, r)
		} else {
			err = l.saveOwn(config, r)
		}
	}
	if err != nil {
		return fmt.Errorf("could not save the record of %q: %w", config, err)
	}
	return nil
}

// Clear makes a link's record say that there is no link. Our own file is
// removed unless it holds something that is not ours; Maestral's are kept,
// with its own values for no link. Nothing to clear is no error.
func (l Layout) Clear(config string) error {
	if err := l.check(config); err != nil {
		return err
	}
	clear := l.clearOwn
	if l.Maestral() {
		clear = l.clearMaestral
	}
	if err := clear(config); err != nil {
		return fmt.Errorf("could not clear the record of %q: %w", config, err)
	}
	return nil
}

// List returns, sorted, the config names that have a record, and those whose
// record file cannot be read, so that nobody looks for them in vain:
// [Layout.Load] says what is wrong. Other files are passed over.
func (l Layout) List() ([]string, error) {
	if l.app == "" {
		return nil, l.check("")
	}
	entries, err := os.ReadDir(l.config)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("could not list the links of %s: %w", l.app, err)
	}
	var names []string
	for _, entry := range entries {
		name, isRecord := strings.CutSuffix(entry.Name(), ".ini")
		if !isRecord || CheckConfigName(name) != nil {
			continue
		}
		if kind := entry.Type(); !kind.IsRegular() && kind != fs.ModeSymlink {
			continue
		}
		if r, err := l.Load(name); err != nil || !r.Empty() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
