package atomicfile

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// staleAfter is the age at which a new file that has not taken its name counts
// as left by a writer that was killed: writers take milliseconds. One that is
// alive all the same fails, with the old file as it was.
const staleAfter = time.Minute

// Sweep removes what writers of the file at path have left that were killed,
// however short a time ago. The caller makes sure that nobody is writing it.
func Sweep(path string) {
	sweep(filepath.Dir(path), func(base string) bool { return base == filepath.Base(path) }, 0)
}

// sweep removes the files in dir, of at least this age, that Write made and
// that never took the name of a base that is ours. What cannot be removed
// stays: it is in nobody's way.
func sweep(dir string, ours func(base string) bool, age time.Duration) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		base, ok := baseOf(entry.Name())
		if !ok || !ours(base) || !entry.Type().IsRegular() {
			continue
		}
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) >= age {
			_ = os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}

// baseOf returns the name that a file of Write's was to take: of
// ".name.123.tmp", name.
func baseOf(temp string) (base string, ok bool) {
	name, ok := strings.CutSuffix(temp, ".tmp")
	if !ok || !strings.HasPrefix(name, ".") {
		return "", false
	}
	dot := strings.LastIndexByte(name, '.')
	digits := name[dot+1:]
	if dot < 2 || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	return name[1:dot], true
}
