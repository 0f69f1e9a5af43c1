package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/authring/authring/internal/cure"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/plaintext"
	"github.com/authring/authring/keyring/sealed"
)

// secretFiles looks at the files of the keyrings that are files, and at those
// with a key. What is wrong with one is why its keyring cannot be used.
func (e *examination) secretFiles() []Finding {
	var found []Finding
	for _, k := range e.Keyrings {
		found = append(found, e.filesOf(k)...)
	}
	return found
}

// filesOf looks at the files of one keyring.
func (e *examination) filesOf(k keyring.Keyring) []Finding {
	var own, keys []string
	switch k := k.(type) {
	case *plaintext.Keyring:
		if path, err := k.Path(); err == nil {
			own = []string{path}
		}
	case *sealed.Keyring:
		if path, err := k.Path(); err == nil {
			own, keys = []string{path, k.Previous()}, k.KeyFiles()
		}
	}
	var found []Finding
	for _, path := range own {
		found = append(found, e.secretFile(path, false)...)
	}
	if len(own) > 0 {
		found = append(found, e.secretFolder(filepath.Dir(own[0]))...)
	}
	for _, path := range keys {
		found = append(found, e.secretFile(path, true)...)
	}
	return found
}

// fileCure is the command for what is wrong with the files of a keyring, or
// otherwise.
func (e *examination) fileCure(k keyring.Keyring, otherwise string) string {
	if found := e.filesOf(k); len(found) > 0 {
		return found[0].Cure
	}
	if file, ok := k.(*sealed.Keyring); ok {
		if _, err := file.ByPassphrase(); cure.Of(err) != "" {
			return cure.Of(err)
		}
	}
	return otherwise
}

// secretFile looks at one file. A key may be in a pipe, or in a file of the
// system's, whose mode does not show who may read it (systemd's credentials).
func (e *examination) secretFile(path string, key bool) []Finding {
	f := Finding{ID: "secret-file", Severity: Fail, Cause: Unavailable}
	info, err := os.Lstat(path)
	if err == nil && key {
		info, err = os.Stat(path) // a link will do
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // told where it is needed
	}
	if err != nil {
		f.Title, f.Detail, f.Cure = "A file of secrets cannot be reached", err.Error(), e.reachOr(path, cure.Look(path))
		return []Finding{f}
	}
	owner, foreign := foreigner(info)
	switch mode := info.Mode(); {
	case key && (mode&fs.ModeNamedPipe != 0 || foreign && owner == 0):
		return nil
	case mode&fs.ModeSymlink != 0:
		f.Title, f.Detail = path+" is a symbolic link, which is not followed", "whoever can change where it leads could give you another file"
		f.Cure = e.away(path, ".link") + " && cp -pL " + e.Quote(path+".link") + " " + e.Quote(path)
	case !mode.IsRegular():
		f.Title, f.Cure = path+" is not a regular file", e.away(path, ".old")
	case foreign:
		f.Title, f.Detail, f.Cure = path+" belongs to another user", fmt.Sprintf("to uid %d, as after a command with sudo", owner), e.own(path)
	case openTo(info, 0o077):
		f.Title, f.Detail = "Others can read or change "+path, mode.String()+"; if you trust what it holds, take that right away"
		f.Cure = "chmod 600 " + e.Quote(path)
	default:
		if f.Cure = e.reach(path); f.Cure == "" {
			return nil
		}
		f.Title, f.Detail = path+" cannot be read or written", mode.String()
	}
	return []Finding{f}
}

// secretFolder looks at the folder in which secrets are.
func (e *examination) secretFolder(path string) []Finding {
	f := Finding{ID: "secret-folder", Severity: Fail, Cause: Unavailable}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if f.Cure = e.reach(path); f.Cure == "" {
			return nil // it will be made
		}
		f.Title = "The folder " + path + " cannot be made"
		return []Finding{f}
	}
	if err != nil {
		f.Title, f.Detail, f.Cure = "A folder of secrets cannot be reached", err.Error(), e.reachOr(path, cure.Look(path))
		return []Finding{f}
	}
	owner, foreign := foreigner(info)
	switch {
	case !info.IsDir():
		f.Title, f.Cure = path+" is not a folder", e.away(path, ".old")
	case foreign:
		f.Title, f.Detail, f.Cure = path+" belongs to another user", fmt.Sprintf("to uid %d, as after a command with sudo", owner), e.own(path)
	case openTo(info, 0o022):
		f.Title, f.Detail, f.Cure = "Others can change the folder "+path, info.Mode().String(), "chmod go-w "+e.Quote(path)
	default:
		if f.Cure = e.reach(path); f.Cure == "" {
			return nil
		}
		f.Title, f.Detail = path+" cannot be read or written", info.Mode().String()
	}
	return []Finding{f}
}
