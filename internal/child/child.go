// Package child runs the command of somebody else as if this program were not
// there: with its arguments, its terminal, the signals that are sent, and the
// status that it ends with. What the command needs meanwhile, such as a socket,
// is in a folder that goes with it.
package child

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Command is what is run. Args begins with the name it was called by.
type Command struct {
	Path string
	Args []string
	Env  []string

	// Ignored are the signals that are to be ignored from its start; see
	// [Ignored].
	Ignored []os.Signal
}

// ErrNotRunnable: the command is there and cannot be run.
var ErrNotRunnable = errors.New("it is not a program that this user may run")

// ErrCurrentFolder: on Windows, the command is where the caller is and nowhere
// else. What is there is run only if it is named so (exec.ErrDot).
var ErrCurrentFolder = errors.New(`it is in the current folder only; to run that one, write .\NAME`)

// ErrNotFound: there is no such command.
var ErrNotFound = errors.New("there is no such program")

// Find looks a command up as a shell does. Its errors are [ErrNotRunnable],
// [ErrCurrentFolder] and [ErrNotFound].
func Find(name string) (string, error) {
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path, nil
	case errors.Is(err, exec.ErrDot) && dotCounts:
		// Whoever runs a script by it must not take its name for an option.
		return "./" + filepath.ToSlash(path), nil
	case errors.Is(err, exec.ErrDot):
		return "", ErrCurrentFolder
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENOTDIR):
		return "", ErrNotFound
	default:
		return "", ErrNotRunnable
	}
}

// startError: the system did not start a program that is there.
type startError struct{ err error }

// Error says why, and the last cases in the system's words.
func (s *startError) Error() string {
	switch {
	case errors.Is(s.err, syscall.ENOENT):
		return "what it is run by, as its first line or its format says, is not there"
	case errors.Is(s.err, syscall.ENOEXEC):
		return "it is no program for this system, or is damaged"
	case errors.Is(s.err, syscall.E2BIG):
		return "its arguments and environment are longer than the system takes"
	}
	var errno syscall.Errno
	if errors.As(s.err, &errno) {
		return errno.Error()
	}
	return s.err.Error()
}

// Unwrap makes it an [ErrNotRunnable].
func (s *startError) Unwrap() []error { return []error{ErrNotRunnable, s.err} }

// Status is how a command ended: by itself with a code, or by a signal.
type Status struct {
	Code   int
	Signal syscall.Signal
}

// ExitCode is what a shell makes of it: 128 and the signal's number, or the
// code.
func (s Status) ExitCode() int {
	if s.Signal != 0 {
		return 128 + int(s.Signal)
	}
	return s.Code
}
