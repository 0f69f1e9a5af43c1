package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"sync"
)

// largestExecutable bounds what is hashed.
const largestExecutable = 1 << 30

// Sum gives the SHA-256 of a file in hexadecimal digits.
func Sum(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	return sum(path, info)
}

// sum hashes the file at path, which must be the one of info.
func sum(path string, info os.FileInfo) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	opened, err := f.Stat()
	switch {
	case err != nil:
		return "", err
	case info == nil || !os.SameFile(info, opened) || !opened.Mode().IsRegular():
		return "", fmt.Errorf("%s is another file by now", path)
	case opened.Size() > largestExecutable:
		return "", fmt.Errorf("%s is larger than %d bytes", path, largestExecutable)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, io.LimitReader(f, largestExecutable)); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// sums remembers the hashes of files that did not change.
type sums struct {
	mu    sync.Mutex
	known []knownSum
}

type knownSum struct {
	info os.FileInfo
	sum  string
}

// mostSums bounds what is remembered.
const mostSums = 64

func (s *sums) of(p Process) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.known {
		if os.SameFile(k.info, p.Exe) && unchanged(k.info, p.Exe) {
			return k.sum, nil
		}
	}
	got, err := sum(p.executable(), p.Exe)
	if err != nil {
		return "", err
	}
	if len(s.known) == mostSums {
		s.known = s.known[1:]
	}
	s.known = append(s.known, knownSum{p.Exe, got})
	return got, nil
}
