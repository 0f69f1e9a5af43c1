package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/authring/authring/internal/cure"
)

// files looks at the folders and files of the app: whose they are, and who
// else may read or write them.
func (e *examination) files(context.Context) []Finding {
	if e.layoutErr != nil {
		f := Finding{ID: "no-home", Severity: Fail, Config: e.Config, Title: "It is not known where the links are kept", Detail: e.layoutErr.Error(),
			Cure: cure.Home}
		return []Finding{f}
	}
	var found []Finding
	if home := e.foreignHome(); home != "" {
		found = append(found, Finding{ID: "foreign-home", Severity: Fail, Title: "HOME is the folder of another user: " + home,
			Detail: "as after su without -", Cure: cure.Home})
	}
	for _, folder := range []string{e.layout.ConfigFolder(), e.layout.StateFolder()} {
		found = append(found, e.folder(folder)...)
	}
	found = append(found, e.secretFiles()...)
	if len(found) == 0 {
		found = append(found, Finding{ID: "files-sound", Title: soundFiles,
			Detail: e.layout.ConfigFolder() + ", " + e.layout.StateFolder()})
	}
	return found
}

// mostFiles bounds what is looked at: a home can hold anything.
const mostFiles = 2000

func (e *examination) folder(folder string) []Finding {
	info, err := os.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it is made at the first link
	}
	if err != nil {
		return []Finding{e.unreadable("A folder of authring cannot be reached", folder, err)}
	}
	if !info.IsDir() {
		return []Finding{{ID: "not-a-folder", Severity: Fail, Title: folder + " is not a folder",
			Cure: e.away(folder, ".old")}}
	}
	var found []Finding
	if err := writable(folder); err != nil {
		found = append(found, e.unreadable("A folder of authring cannot be written", folder, err))
	}
	seen := 0
	var left []string
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if seen++; seen > mostFiles {
			return fs.SkipAll
		}
		if err != nil {
			found = append(found, e.unreadable("A part of authring's files cannot be read", path, err))
			return fs.SkipDir
		}
		if base := entry.Name(); strings.HasPrefix(base, ".") && strings.HasSuffix(base, ".tmp") && entry.Type().IsRegular() {
			left = append(left, path)
		}
		found = append(found, e.mode(path, entry)...)
		return nil
	})
	if len(left) > 0 {
		found = append(found, Finding{ID: "left-over", Severity: Note,
			Title:  fmt.Sprintf("%d file(s) of writers that were killed are left", len(left)),
			Detail: "they are in nobody's way", Cure: cure.Remove(left[:min(len(left), 5)]...)})
	}
	return found
}

// mode looks at the rights to one file.
func (e *examination) mode(path string, entry fs.DirEntry) []Finding {
	info, err := entry.Info()
	if err != nil || info.Mode()&fs.ModeSymlink != 0 {
		return nil // gone again, or a record that leads elsewhere, which is read there
	}
	if mode := info.Mode(); !mode.IsRegular() && isFileName(path) && path != e.layout.ConfigPath(e.Config) { // which is told among the links
		return []Finding{{ID: "not-a-file", Severity: Fail, Title: path + " is not a regular file", Detail: mode.String(), Cure: e.away(path, ".old")}}
	}
	secret := e.isNote(path)
	switch owner, foreign := foreigner(info); {
	case foreign:
		return []Finding{{
			ID: "foreign-file", Severity: Fail, Title: path + " belongs to another user", Detail: fmt.Sprintf("to uid %d, as after a command with sudo", owner),
			Cure: fmt.Sprintf("sudo chown -R %d %s", os.Geteuid(), e.Quote(path)),
		}}
	case openTo(info, 0o002), secret && openTo(info, 0o022):
		return []Finding{{ID: "writable-by-others", Severity: Fail, Title: "Others can write " + path,
			Detail: info.Mode().String(), Cure: "chmod go-w " + e.Quote(path)}}
	case secret && openTo(info, 0o077):
		return []Finding{{ID: "readable-by-others", Severity: Warn, Title: "Others can read " + path,
			Detail: info.Mode().String() + "; it holds no token, but is not for them", Cure: "chmod go-rwx " + e.Quote(path)}}
	}
	return nil
}

// isFileName reports whether a name is one that we give to files only.
func isFileName(path string) bool {
	switch filepath.Ext(path) {
	case ".ini", ".json", ".jsonl", ".key", ".lock":
		return true
	default:
		return false
	}
}

// isNote reports whether a file is one that only we write and read: all of the
// state folder but the locks.
func (e *examination) isNote(path string) bool {
	below, err := filepath.Rel(e.layout.StateFolder(), path)
	if err != nil || strings.HasPrefix(below, "..") {
		return false
	}
	ext := filepath.Ext(path)
	return ext == ".json" || ext == ".key"
}
