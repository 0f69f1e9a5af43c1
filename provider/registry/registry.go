// Package registry keeps descriptions of providers in files, a file to each, so
// that a server becomes known without a line of code.
//
// A [Folder] holds the files of a user. Those that this project ships are found
// in every folder: those whose ways need code ([provider.InCode]), and a few
// whose facts are in their documentation. A file of the user's with the name of
// a shipped one takes its place, but not that of one in code.
//
// The files hold no secret. Whoever can write one can have the next code or
// refresh token sent elsewhere, and so files that others can write are refused.
package registry

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/provider"
)

// Entry is a provider with what else its file says.
type Entry struct {
	Provider *provider.Provider

	// SecretKeyring names the keyring that holds the client secret; empty:
	// there is none.
	SecretKeyring string

	// SecretLeftIn names other keyrings that may hold one: an earlier one, which
	// could not be deleted, or one that was about to be used.
	SecretLeftIn []string

	// Sources are the pages that the facts were taken from.
	Sources []string

	// Shipped: it comes with the program, and is not a file of the user's.
	Shipped bool
}

// ErrUnknown: there is no provider of that name.
var ErrUnknown = errors.New("there is no provider of that name")

// FileError is a file that cannot be used. It is left as it is.
type FileError struct {
	Path   string
	Reason string
}

// Error names the file and the reason.
func (e *FileError) Error() string { return e.Path + ": " + e.Reason }

// Folder is a folder of provider files. The empty one is that of a user who has
// none.
type Folder string

//go:embed shipped/*.json
var shipped embed.FS

// codeSources are the pages that the facts of providers in code are from.
var codeSources = map[string][]string{
	"dropbox": {"https://www.dropbox.com/developers/documentation/http/documentation"},
}

// largest bounds a file, in bytes.
const largest = 64 << 10

// Load returns the provider of a name: the user's, or the shipped one. Without
// either the error is [ErrUnknown]; a file that cannot be used is a
// [*FileError].
func (f Folder) Load(name string) (*Entry, error) {
	if CheckName(name) != nil {
		return nil, fmt.Errorf("could not use %.80q: %w", name, ErrUnknown)
	}
	if p, ok, err := provider.InCode(name, nil); ok {
		return &Entry{Provider: p, Shipped: true, Sources: codeSources[name]}, err
	}
	if f != "" {
		path := f.Path(name)
		data, err := readFile(path)
		if err == nil {
			return parseFile(path, name, data)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("could not read the provider %q: %w", name, err)
		}
		if _, err := os.Lstat(path); err == nil {
			// A shipped one must not be used in place of what is away.
			return nil, fmt.Errorf("could not read the provider %q: %w", name, &FileError{Path: path, Reason: "a symbolic link to what is not there"})
		}
	}
	data, err := shipped.ReadFile("shipped/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("could not use %q: %w", name, ErrUnknown)
	}
	entry, err := parseFile("shipped/"+name+".json", name, data)
	if err == nil {
		entry.Shipped = true
	}
	return entry, err
}

func parseFile(path, name string, data []byte) (*Entry, error) {
	entry, err := Parse(data)
	if err == nil && entry.Provider.Name != name {
		err = errors.New("it describes a provider of another name")
	}
	if err != nil {
		return nil, fmt.Errorf("could not use the provider %q: %w", name, &FileError{Path: path, Reason: err.Error()})
	}
	return entry, nil
}

// Save writes the file of a provider durably, in place of an earlier one, or of
// the one that a symbolic link of the user's leads to.
func (f Folder) Save(entry *Entry) error {
	name := entry.Provider.Name
	err := f.writable(name)
	var data []byte
	if err == nil {
		data, err = Format(entry)
	}
	if err == nil {
		path := f.Path(name)
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
		err = atomicfile.Write(path, data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("could not save the provider %q: %w", name, err)
	}
	return nil
}

// Remove deletes the file of a provider. Without one the error is
// [ErrUnknown].
func (f Folder) Remove(name string) error {
	err := f.writable(name)
	if err == nil {
		if _, err = os.Lstat(f.Path(name)); errors.Is(err, fs.ErrNotExist) {
			err = ErrUnknown
		}
	}
	if err == nil {
		err = atomicfile.Remove(f.Path(name))
	}
	if err != nil {
		return fmt.Errorf("could not remove the provider %q: %w", name, err)
	}
	return nil
}

func (f Folder) writable(name string) error {
	if f == "" {
		return errors.New("there is no folder for providers here")
	}
	if _, ok, _ := provider.InCode(name, nil); ok {
		return errors.New("this one is part of the program, and has no file")
	}
	return CheckName(name)
}

// List returns, sorted, the names of all providers, the shipped ones among
// them, and of files that [Folder.Load] refuses.
func (f Folder) List() ([]string, error) {
	names := provider.NamesInCode()
	files, err := shipped.ReadDir("shipped")
	if err == nil && f != "" {
		var own []fs.DirEntry
		if own, err = os.ReadDir(string(f)); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		files = append(files, own...)
	}
	if err != nil {
		return nil, fmt.Errorf("could not list the providers: %w", err)
	}
	for _, file := range files {
		name, ok := strings.CutSuffix(file.Name(), ".json")
		if ok && CheckName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Path is the file of a provider of the user's, be it there or not.
func (f Folder) Path(name string) string { return filepath.Join(string(f), name+".json") }

// CheckName refuses what cannot be the name of a provider. It becomes the name
// of a file, and part of the name of a keyring item.
func CheckName(name string) error {
	other := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' }
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, other) || strings.HasPrefix(name, "-") {
		return fmt.Errorf("%.80q cannot be the name of a provider: use lower case letters, digits, - and _", name)
	}
	return nil
}
