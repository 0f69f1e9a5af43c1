package sealed

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
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
	if err := checkKeyFile(info); err != nil {
		return nil, false, err
	}
	data, err = readAll(ctx, f)
	return data, pipe, err
}

func readAll(ctx context.Context, f *os.File) ([]byte, error) {
	// For a regular file there is no deadline, and no wait either.
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	data, err := io.ReadAll(io.LimitReader(f, maxMaterial+1))
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

// makeKeyFile makes a key file with random bytes, durably. One that is there
// already stays.
func makeKeyFile(path string) (err error) {
	if err := atomicfile.MakeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return withoutPath(err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(path)
		}
	}()
	bytes := make([]byte, rawKeyLeast)
	_, _ = rand.Read(bytes) // never fails
	if _, err := f.WriteString(base64.RawURLEncoding.EncodeToString(bytes) + "\n"); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return atomicfile.SyncFolder(filepath.Dir(path))
}
