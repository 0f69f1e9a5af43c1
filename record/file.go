package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/ini"
)

// largest bounds what is read of a file.
const largest = 1 << 20

// FileError is a file that is not what it should be. It is left as it is: a
// person corrects it, or moves it away.
type FileError struct {
	Path   string
	Line   int // 1 is the first; 0 means the file as a whole
	Reason string
}

// Error names the file, the line if there is one, and the reason.
func (e *FileError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s, line %d: %s", e.Path, e.Line, e.Reason)
	}
	return fmt.Sprintf("%s: %s", e.Path, e.Reason)
}

// file is an INI file as it was found.
type file struct {
	*ini.File
	path   string // as the layout has it, for errors
	target string // where it really is, after symbolic links
	data   []byte
	mode   fs.FileMode
	found  bool
}

// open reads the file at path; one that is not there is empty, with found
// unset. For writing, it must be ours to replace.
//
// A symbolic link is followed, as people keep settings in a folder of dot
// files; a link to nothing is refused, since the link was meant to lead
// somewhere.
func open(path string, forWriting bool) (*file, error) {
	f := &file{path: path, target: path, mode: 0o600}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		f.File = &ini.File{}
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if f.target, err = filepath.EvalSymlinks(path); err != nil {
			return nil, &FileError{Path: path, Reason: "a symbolic link that leads to no file"}
		}
	}
	data, info, err := readBounded(f.target)
	if err != nil {
		return nil, f.reword(err)
	}
	if reason := untrusted(info, forWriting); reason != "" {
		return nil, &FileError{Path: path, Reason: reason}
	}
	if f.File, err = ini.Parse(data); err != nil {
		return nil, f.reword(err)
	}
	f.data, f.mode, f.found = data, info.Mode().Perm(), true
	return f, nil
}

// reword gives an error of a part the file's own name.
func (f *file) reword(err error) error {
	var syntax *ini.SyntaxError
	var whole *FileError
	switch {
	case errors.As(err, &syntax):
		return &FileError{Path: f.path, Line: syntax.Line, Reason: syntax.Reason}
	case errors.As(err, &whole):
		return &FileError{Path: f.path, Reason: whole.Reason}
	default:
		return err
	}
}

// save replaces the file if an edit changed it, and otherwise gives it the time
// of now: whoever holds tokens of the link sees by that that it was made anew.
// Nothing is made of a file that was not there and got no edit.
func (f *file) save() error {
	data, err := f.Bytes()
	if err != nil {
		return err
	}
	if bytes.Equal(data, f.data) {
		if f.found {
			_ = os.Chtimes(f.target, time.Time{}, time.Now()) // best effort
		}
		return nil
	}
	if len(data) > largest {
		return &FileError{Path: f.path, Reason: fmt.Sprintf("would grow beyond %d bytes", largest)}
	}
	return atomicfile.Write(f.target, data, f.mode)
}

// restore puts the file back to what it was before save.
func (f *file) restore() error {
	if !f.found {
		return atomicfile.Remove(f.target)
	}
	return atomicfile.Write(f.target, f.data, f.mode)
}

// readBounded reads a regular file of at most 1 MiB.
func readBounded(path string) ([]byte, fs.FileInfo, error) {
	in, err := atomicfile.Open(path, os.O_RDONLY|openFlags)
	if err != nil {
		return nil, nil, notAFile(path, err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, &FileError{Path: path, Reason: "not a regular file"}
	}
	data, err := io.ReadAll(io.LimitReader(in, largest+1))
	if err != nil {
		return nil, nil, err
	}
	if len(data) > largest {
		return nil, nil, &FileError{Path: path, Reason: fmt.Sprintf("larger than %d bytes", largest)}
	}
	return data, info, nil
}

// notAFile tells a thing that is no file (a socket, say) from one that cannot
// be opened.
func notAFile(path string, err error) error {
	if info, statErr := os.Lstat(path); statErr == nil && !info.Mode().IsRegular() {
		return &FileError{Path: path, Reason: "not a regular file"}
	}
	return err
}
