package sealed

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/authring/authring/internal/atomicfile"
)

// pipes keep what was read from pipes, which cannot be read twice.
type pipes struct {
	mu   sync.Mutex
	held map[string][]byte
}

// read reads a file that holds a key or a passphrase. A pipe, such as shells
// put in place of a file, is waited for until ctx ends. Symbolic links are
// followed: services are given their secrets that way.
func (p *pipes) read(ctx context.Context, path string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if data, ok := p.held[path]; ok {
		return data, nil
	}
	data, pipe, err := readKeyFile(ctx, path)
	if err == nil && pipe {
		if p.held == nil {
			p.held = map[string][]byte{}
		}
		p.held[path] = data
	}
	return data, err
}

func readKeyFile(ctx context.Context, path string) (data []byte, pipe bool, err error) {
	if !filepath.IsAbs(path) {
		return nil, false, errors.New("its path is not absolute")
	}
	f, err := openKeyFile(path)
	if err != nil {
		return nil, false, withoutPath(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, false, withoutPath(err)
	}
	pipe = info.Mode()&os.ModeNamedPipe != 0
	if !info.Mode().IsRegular() && !pipe {
		return nil, false, errors.New("it is neither a file nor a pipe")
	}
	if err := checkKeyFile(path, info); err != nil {
		return nil, false, err
	}
	data, err = readAll(ctx, f, pipe && isNamed(path))
	return data, pipe, err
}

// isNamed reports whether a pipe has a name of its own. One that a shell puts in
// place of a file is reached by links of the system that lead to no name.
func isNamed(path string) bool {
	_, err := filepath.EvalSymlinks(path)
	return err == nil
}

func readAll(ctx context.Context, f *os.File, named bool) (data []byte, err error) {
	// For a regular file there is no deadline, and no wait either.
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if named {
		err = awaitWriter(f)
	}
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(f, maxMaterial+1))
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, withoutPath(err)
	case len(data) > maxMaterial:
		return nil, fmt.Errorf("it is larger than %d bytes", maxMaterial)
	case len(data) == 0:
		return nil, errors.New("it is empty")
	}
	return data, nil
}

// withoutPath drops the path of an error: what is said around it names the
// file.
func withoutPath(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// makeKeyFile makes a key file of random bytes, durably, and whole or not at
// all: a part of one would be taken for another key. What is there already
// stays; reading it tells what is wrong with it.
func makeKeyFile(path string) error {
	random := make([]byte, rawKeyLeast)
	_, _ = rand.Read(random) // never fails
	err := atomicfile.Create(path, []byte(base64.RawURLEncoding.EncodeToString(random)+"\n"), 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return withoutPath(err)
}
