package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/cure"
	"github.com/authring/authring/internal/privatefile"
)

// lockWait bounds the wait for other processes that write, each of which
// takes milliseconds.
const lockWait = 10 * time.Second

// previousPath is the generation before the one in use, which is kept until
// the next is written.
func previousPath(path string) string { return path + ".previous" }

// load reads the file at path; nil is no file. It refuses what others may
// have read or written.
//
// A damaged file is an error even where the generation before it is intact:
// that one may hold a refresh token that was used up since, and a provider
// that sees it again ends the grant. Going back is for a person to decide.
func load(path string) (data []byte, c *container, err error) {
	data, err = privatefile.Read(path, maxSize)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if !isIntact(previousPath(path)) {
			return nil, nil, nil
		}
		// We never remove the one without the other.
		err = fmt.Errorf("%w: it is gone", ErrDamaged)
	case errors.Is(err, privatefile.ErrTooLarge):
		err = fmt.Errorf("%w: it has more than %d bytes", ErrDamaged, maxSize)
	case err != nil:
		return nil, nil, err
	default:
		var parsed container
		if parsed, err = parse(data); err == nil {
			return data, &parsed, nil
		}
	}
	return nil, nil, withWayOut(path, err)
}

// withWayOut adds to what is wrong with a damaged file what can be done.
func withWayOut(path string, err error) error {
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	if isIntact(previousPath(path)) {
		command := cure.Move(previousPath(path), path)
		return cure.With(fmt.Errorf("%w; the generation before it is intact: to go back to that, and to the secrets as they were then, run: %s; to begin anew, move both away and link again", err, command), command)
	}
	command := cure.Move(path, path+".damaged")
	return cure.With(fmt.Errorf("%w; restore it from a backup, or move it away and link again: %s", err, command), command)
}

// isIntact reports whether a generation is as it was written.
func isIntact(path string) bool {
	data, err := privatefile.Read(path, maxSize)
	if err != nil {
		return false
	}
	_, err = parse(data)
	return err == nil
}

// save replaces the file at path, which holds old (nil: there is none), and
// reads it back. The caller holds the lock. The old generation is kept beside
// the new one, unless it has what is not to be kept: then there is none from
// before the new one is there, so that a kill leaves the file as it was, or
// nothing of what was deleted.
func save(path string, old, data []byte, keep bool) error {
	// The lock is ours: whoever has left a file of secrets here was killed.
	atomicfile.Sweep(path)
	atomicfile.Sweep(previousPath(path))
	var err error
	switch {
	case !keep:
		err = removePrevious(path)
	case old != nil:
		err = atomicfile.Write(previousPath(path), old, 0o600)
	}
	if err != nil {
		return err
	}
	if err := atomicfile.Write(path, data, 0o600); err != nil {
		return err
	}
	back, err := privatefile.Read(path, maxSize)
	if err == nil && !bytes.Equal(back, data) {
		err = errors.New("it holds something else than was written")
	}
	if err == nil || old == nil {
		return err
	}
	return errors.Join(err, atomicfile.Write(path, old, 0o600))
}

// remove deletes the file at path with the generation before it, that one
// first: what is left after a kill is the file as it was.
func remove(path string) error {
	if err := removePrevious(path); err != nil {
		return err
	}
	atomicfile.Sweep(path)
	atomicfile.Sweep(previousPath(path))
	return atomicfile.Remove(path)
}

func removePrevious(path string) error { return atomicfile.Remove(previousPath(path)) }
