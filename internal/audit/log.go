package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/filelock"
	"github.com/authring/authring/internal/privatefile"
)

// A log is at most this large: the file that is written, and generations
// before it.
const (
	LargestFile = 256 << 10
	Generations = 2

	// longestLine bounds one line: each character may be written with six.
	longestLine = 32 << 10
	// window is how long answers of one kind are counted in one entry.
	window = time.Minute
	// mostKinds bounds how many kinds are counted at a time.
	mostKinds = 128
	// lockBound is how long a generation may take to be put aside elsewhere.
	lockBound = time.Second
)

// Log is the log of a link. Several processes may write one file; each line is
// whole. It is safe for concurrent use. Lines are not synced: a power cut may
// take the last ones.
type Log struct {
	path string

	mu     sync.Mutex
	closed bool
	file   *os.File // while a line is written
	kinds  map[Entry]*counted
}

// counted is a kind that was written, and how often it came since.
type counted struct {
	entry Entry // the last one
	count int
	timer *time.Timer
}

// Open returns the log at path. The file is made with its first entry.
func Open(path string) *Log { return &Log{path: path, kinds: map[Entry]*counted{}} }

// Append writes an entry. One of the same kind as another within the last
// minute is counted, and written as a number when that minute is over, or with
// [Log.Close]: so a program that asks often does not fill the log.
func (l *Log) Append(e Entry) error {
	e.clean()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errors.New("could not write the audit log: it is closed")
	}
	kind := e.kind()
	if c := l.kinds[kind]; c != nil {
		c.entry, c.count = e, c.count+1
		return nil
	}
	if len(l.kinds) < mostKinds {
		c, kind := &counted{}, kind // one of its own, for the few that are new
		c.timer = time.AfterFunc(window, func() { l.end(kind, c) })
		l.kinds[kind] = c
	}
	return l.write(e)
}

// end writes how often a kind came.
func (l *Log) end(kind Entry, c *counted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kinds[kind] == c {
		_ = l.endKind(kind, c) // a log that cannot be written stops nothing
	}
}

// endKind is end for a caller who holds mu.
func (l *Log) endKind(kind Entry, c *counted) error {
	c.timer.Stop()
	delete(l.kinds, kind)
	if c.count == 0 {
		return nil
	}
	c.entry.Count = c.count - 1
	return l.write(c.entry)
}

// Close writes what was counted.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	var failed error
	for kind, c := range l.kinds {
		failed = errors.Join(failed, l.endKind(kind, c))
	}
	return failed
}

// leave closes the file. The caller holds mu.
func (l *Log) leave() {
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
}

// write adds a line. The caller holds mu.
func (l *Log) write(e Entry) error {
	line, err := e.line()
	if err == nil && len(line) > longestLine {
		err = errors.New("the entry is too long")
	}
	if err == nil {
		err = l.ready(int64(len(line)))
	}
	if err == nil {
		// One write to a file that is open for appending: no other process's
		// line gets between.
		_, err = l.file.Write(line)
	}
	// An agent has a log for each of its links, and may have few descriptors.
	l.leave()
	if err != nil {
		return fmt.Errorf("could not write the audit log: %w", err)
	}
	return nil
}

// ready opens the file, or a new one where it is full.
func (l *Log) ready(more int64) error {
	if err := l.openFile(); err != nil {
		return err
	}
	info, err := l.file.Stat()
	if err != nil || info.Size()+more <= LargestFile {
		return err
	}
	return l.turn(more)
}

func (l *Log) openFile() error {
	dir := filepath.Dir(l.path)
	if err := atomicfile.MakeFolder(dir); err != nil {
		return err
	}
	if err := privatefile.CheckFolder(dir); err != nil {
		return err
	}
	if info, err := os.Lstat(l.path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", l.path)
	}
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|openFlags, 0o600)
	if err != nil {
		return err
	}
	l.file = f
	return nil
}

// turn puts a full file aside and opens a new one, unless another process was
// first.
func (l *Log) turn(more int64) error {
	l.leave()
	ctx, cancel := context.WithTimeout(context.Background(), lockBound)
	defer cancel()
	held, err := filelock.Acquire(ctx, l.path+".lock")
	if err != nil {
		return err
	}
	defer func() { _ = held.Release() }()
	info, err := os.Lstat(l.path)
	if err == nil && info.Size()+more > LargestFile {
		for n := Generations - 1; n >= 1; n-- {
			if err := os.Rename(generation(l.path, n-1), generation(l.path, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return l.openFile()
}

// generation is the path of a file: 0 is the one that is written.
func generation(path string, n int) string {
	if n == 0 {
		return path
	}
	return path + "." + strconv.Itoa(n)
}

// Read returns the last n entries of the log at path, oldest first; all for
// n < 0. No log is no entries. Lines that cannot be read are left out.
func Read(path string, n int) ([]Entry, error) {
	var entries []Entry
	for g := Generations - 1; g >= 0; g-- {
		f, err := privatefile.Open(generation(path, g))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("could not read the audit log: %w", err)
		}
		// A little more than the bound: two processes can overshoot it.
		data, err := io.ReadAll(io.LimitReader(f, 2*LargestFile))
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("could not read the audit log: %w", err)
		}
		entries = append(entries, Parse(data)...)
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.At.Compare(b.At) })
	if n >= 0 {
		entries = entries[max(0, len(entries)-n):]
	}
	return entries, nil
}

// Parse reads the lines of a log.
func Parse(data []byte) []Entry {
	var entries []Entry
	for line := range bytes.Lines(data) {
		var e Entry
		if len(line) > longestLine || json.Unmarshal(line, &e) != nil || e.Answer == "" || e.At.IsZero() {
			continue
		}
		e.clean() // may be shown on a terminal
		entries = append(entries, e)
	}
	return entries
}
