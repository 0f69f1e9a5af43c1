package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// exitInternal is authring's exit code of a fault of its own.
const exitInternal = 70

// handOver runs authring with args in place of this program: the one beside
// this program, or else the first on the path. It returns only if it cannot, or
// where the system cannot replace a program; with the exit code.
func handOver(args []string) int {
	program, found := find()
	if !found {
		_, _ = os.Stderr.WriteString("authring-token: there is no program authring beside this one, or on the path\n  Install it: it does what needs more than the agent.\n")
		return exitInternal
	}
	code, err := replace(program, args)
	if err != nil {
		_, _ = os.Stderr.WriteString("authring-token: could not run " + program + ": " + err.Error() + "\n")
		return exitInternal
	}
	return code
}

func find() (path string, found bool) {
	name := "authring"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	var folders []string
	if self, err := os.Executable(); err == nil {
		if self, err = filepath.EvalSymlinks(self); err == nil {
			folders = append(folders, filepath.Dir(self))
		}
	}
	for _, folder := range append(folders, strings.Split(os.Getenv("PATH"), string(os.PathListSeparator))...) {
		// A folder that depends on where the caller is, is not looked at.
		if !filepath.IsAbs(folder) {
			continue
		}
		candidate := filepath.Join(folder, name)
		if info, err := os.Stat(candidate); err == nil && info.Mode().IsRegular() &&
			(runtime.GOOS == "windows" || info.Mode().Perm()&0o111 != 0) {
			return candidate, true
		}
	}
	return "", false
}
