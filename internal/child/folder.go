package child

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/folders"
)

// Folder is a folder of one run, which nobody else can look into.
type Folder struct {
	Path  string
	claim *claim // on the folder, from the moment at which others can find it
}

// ErrNoMemory: there is no folder whose files are never written to a disk.
var ErrNoMemory = errors.New("no folder is in memory alone: set XDG_RUNTIME_DIR to one that is (tmpfs), as the login does")

// NewFolder makes a folder in the user's folder for sockets. With inMemory its
// files are never written to a disk (but to swap): where the user's folder does
// not have that, another one has.
func NewFolder(ctx context.Context, getenv func(string) string, inMemory bool) (*Folder, error) {
	base, prefix, err := choose(getenv, inMemory)
	if err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(base, prefix) // mode 0700, and of nobody else's making
	if err != nil {
		return nil, fmt.Errorf("could not make a folder for the command: %w", err)
	}
	f := &Folder{Path: path}
	if f.claim, err = claimFolder(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("could not make a folder for the command: %w", err), f.Close())
	}
	return f, nil
}

const (
	lockName = "lock"
	runName  = "exec-"
)

// Sweep removes what runs that were killed have left, wherever they were.
func Sweep(getenv func(string) string) {
	if runtime, err := folders.Runtime(getenv); err == nil {
		pattern := filepath.Join(runtime, folderName, runName+"*")
		if agentclient.CheckPlace(pattern) == nil {
			sweep(pattern)
		}
	}
	if shared := sharedMemory(); shared != "" {
		sweep(filepath.Join(shared, sharedName()+"*"))
	}
}

// folderName is the folder in the user's for sockets, and sharedName begins the
// names of the folders that are among those of all users.
const folderName = "authring"

func sharedName() string { return fmt.Sprintf("%s-%d-%s", folderName, os.Getuid(), runName) }

// choose returns the folder for the runs' folders, and what their names begin
// with.
func choose(getenv func(string) string, inMemory bool) (base, prefix string, err error) {
	runtime, err := folders.Runtime(getenv)
	if err == nil {
		base = filepath.Join(runtime, folderName)
		if err = atomicfile.MakeFolder(base); err == nil {
			// As for the agent's socket: the folder and the one above.
			err = agentclient.CheckPlace(filepath.Join(base, runName))
		}
		tooLong := len(base)+longestBelow > longestSocket && sharedMemory() != ""
		if err == nil && !tooLong && (!inMemory || isMemory(base)) {
			return base, runName, nil
		}
	}
	if shared := sharedMemory(); shared != "" {
		return shared, sharedName(), nil
	}
	if err == nil {
		err = ErrNoMemory
	}
	return "", "", err
}

// longestSocket is how long the path of a Unix socket can be everywhere, in bytes,
// and longestBelow what a run's has below the user's folder.
const (
	longestSocket = 103
	longestBelow  = len("/" + runName + "4294967295" + "/agent/sock")
)

// Close removes the folder with all that is in it.
func (f *Folder) Close() error {
	if f.claim == nil {
		return os.RemoveAll(f.Path)
	}
	return f.claim.remove(f.Path)
}

// makingBound is more than the making of a folder takes.
const makingBound = time.Hour

// sweep removes the folders of runs that are gone.
func sweep(pattern string) {
	found, _ := filepath.Glob(pattern) // the pattern is ours
	for _, path := range found {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || !isOwn(info) || !strings.Contains(filepath.Base(path), runName) {
			continue
		}
		name := filepath.Join(path, lockName)
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) && time.Since(info.ModTime()) < makingBound {
			continue // it is just being made
		}
		if c := claimDead(path); c != nil {
			_ = c.remove(path)
		}
	}
}
