package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/authring/authring/internal/cure"
)

// reach is the command after which a path can be reached and read, and a folder
// written to: for the first folder on the way to it that is closed, or for the
// thing itself. It is empty if nothing is seen to be in the way.
func (e *examination) reach(path string) string {
	path = filepath.Clean(path)
	for _, part := range way(path) {
		info, err := os.Stat(part)
		if err != nil {
			return ""
		}
		// A thing that is missing is made in the last folder that is there.
		missing := ""
		if part != path {
			next, _, _ := strings.Cut(strings.TrimPrefix(path[len(part):], "/"), "/")
			if next = filepath.Join(part, next); !exists(next) {
				missing = next
			}
		}
		err = passable(part, info.IsDir(), part == path || missing != "")
		if err == nil {
			continue
		}
		if readOnly(err) {
			return `sudo mount -o remount,rw "$(findmnt -no TARGET -T ` + e.Quote(part) + `)"`
		}
		if _, foreign := foreigner(info); foreign {
			return e.reachForeign(path, part, missing)
		}
		if info.IsDir() {
			return "chmod -R u+rwX " + e.Quote(part)
		}
		return "chmod u+rw " + e.Quote(part)
	}
	return ""
}

// reachForeign is reach where another user's folder or file is in the way: what
// is below the user's own folder is the user's, and nothing else is given away.
func (e *examination) reachForeign(path, part, missing string) string {
	if e.foreignHome() != "" {
		return cure.Home
	}
	home, err := os.UserHomeDir()
	if err == nil && below(part, home) {
		return e.own(part)
	}
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"} {
		if folder := e.Getenv(name); folder != "" && below(path, folder) {
			return cure.Unset(name)
		}
	}
	if missing != "" {
		return fmt.Sprintf("sudo install -d -m 700 -o %d %s", os.Geteuid(), e.Quote(missing))
	}
	return ""
}

// below reports whether a path is in a folder.
func below(path, folder string) bool {
	rest, err := filepath.Rel(folder, path)
	return err == nil && rest != "." && filepath.IsLocal(rest)
}

// own makes a file ours.
func (e *examination) own(path string) string {
	return fmt.Sprintf("sudo chown -R %d %s", os.Geteuid(), e.Quote(path))
}

// away moves what is in the way to a name that nobody looks for.
func (e *examination) away(path, as string) string {
	return cure.Move(path, path+as)
}

// way lists the folders above an absolute path, from the top, and it.
func way(path string) []string {
	var parts []string
	for part := path; ; part = filepath.Dir(part) {
		parts = append([]string{part}, parts...)
		if filepath.Dir(part) == part {
			return parts
		}
	}
}

// reachOr is reach, or another command.
func (e *examination) reachOr(path, otherwise string) string {
	if command := e.reach(path); command != "" {
		return command
	}
	return otherwise
}

// cureOf is the command for an error of the file system, or otherwise.
func (e *examination) cureOf(err error, otherwise string) string {
	var path *fs.PathError
	if !errors.As(err, &path) || !filepath.IsAbs(path.Path) {
		return otherwise
	}
	return e.reachOr(path.Path, otherwise)
}

// foreignHome is the folder that HOME names, if that is another user's: after
// su without "-", or sudo with HOME kept.
func (e *examination) foreignHome() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	info, err := os.Stat(home)
	if err != nil {
		return ""
	}
	// One of root's that is open to everybody will do: containers have such.
	if owner, foreign := foreigner(info); !foreign || owner == 0 && passable(home, true, true) == nil {
		return ""
	}
	return home
}
