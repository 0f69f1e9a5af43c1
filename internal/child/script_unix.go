//go:build unix

package child

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
)

// dotCounts: a program that a relative element of PATH leads to is run, as by a
// shell and by execvp(3). The user has named it.
const dotCounts = true

// shell runs scripts that do not say by what they are run.
const shell = "/bin/sh"

// script returns the command that runs this one by the shell, if the system did
// not start it because it is a script without "#!". Every shell, and execvp(3),
// runs those so. A program of another system is none.
func (c Command) script(err error) (Command, bool) {
	if !errors.Is(err, syscall.ENOEXEC) {
		return Command{}, false
	}
	f, err := os.Open(c.Path)
	if err != nil {
		return Command{}, false
	}
	defer func() { _ = f.Close() }()
	start := make([]byte, 256)
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Command{}, false
	}
	line, _, _ := bytes.Cut(start[:n], []byte("\n"))
	if bytes.IndexByte(line, 0) >= 0 || bytes.HasPrefix(line, []byte("\x7fELF")) {
		return Command{}, false
	}
	args := append([]string{shell, c.Path}, c.Args[1:]...)
	return Command{Path: shell, Args: args, Env: c.Env}, true
}
