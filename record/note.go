package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/authring/authring/internal/atomicfile"
)

// noteVersion is the version of the notes' form. A note of another one is
// refused, since a newer program may have meant something else by it.
const noteVersion = 1

// note is what a file remembers of something that is under way. check says what
// is wrong with it, or "".
type note interface{ check() string }

// readNote reads a note of ours, which nobody else may have had a hand in. It
// reports whether there is one.
func readNote(path string, into note) (found bool, err error) {
	err = readJSON(path, into)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if reason := into.check(); reason != "" {
		return false, &FileError{Path: path, Reason: reason}
	}
	return true, nil
}

func readJSON(path string, into any) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return &FileError{Path: path, Reason: "a symbolic link"}
	}
	data, info, err := readBounded(path)
	if err != nil {
		return err
	}
	if reason := exposed(info); reason != "" {
		return &FileError{Path: path, Reason: reason}
	}
	if err := json.Unmarshal(data, into); err != nil {
		return &FileError{Path: path, Line: noteLine(data, err), Reason: "not the JSON of a note"}
	}
	return nil
}

// writeNote writes a note, if it could be read again.
func writeNote(path string, n note) error {
	if reason := n.check(); reason != "" {
		return errors.New(reason)
	}
	data, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(data, '\n'), 0o600)
}

// dropNote forgets a note of a config name. None is no error.
func (l Layout) dropNote(config, path, what string) error {
	if err := l.check(config); err != nil {
		return err
	}
	if err := atomicfile.Remove(path); err != nil {
		return fmt.Errorf("could not forget %s of %q: %w", what, config, err)
	}
	return nil
}

// noteLine is the line of a JSON error. The error's own text is not passed on:
// it can quote what the file holds.
func noteLine(data []byte, err error) int {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	at := int64(-1)
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at = kind.Offset
	}
	if at < 0 || at > int64(len(data)) {
		return 0
	}
	line := 1
	for _, b := range data[:at] {
		if b == '\n' {
			line++
		}
	}
	return line
}

func checkVersion(version int) string {
	if version != noteVersion {
		return fmt.Sprintf("version %d, and this program knows version %d", version, noteVersion)
	}
	return ""
}
