package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/internal/atomicfile"
	"github.com/authring/authring/internal/filelock"
)

// ErrRunning: an agent listens at the socket already.
var ErrRunning = errors.New("an agent is running already")

// listenBound is how long an agent that is ending may take to leave the socket
// to the next one.
const listenBound = 2 * time.Second

// Listener is a socket of this user alone.
type Listener struct {
	*net.UnixListener
	path   string
	made   fs.FileInfo
	lock   *filelock.Lock
	unname sync.Once
}

// SocketPath is where the agent of the user listens, by the environment of this
// process. The error says why there can be none.
func SocketPath() (string, error) { return agentclient.SocketPath(os.Getenv) }

// Listen makes the socket at path, with mode 0600, in a folder that is closed to
// others, and is made if missing. What an agent that was killed has left there
// is replaced. The error is [ErrRunning] if there is an agent that was not
// killed. Closing the listener removes the socket.
func Listen(ctx context.Context, path string) (*Listener, error) {
	l, err := listen(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("could not listen at %s: %w", path, err)
	}
	return l, nil
}

func listen(ctx context.Context, path string) (_ *Listener, err error) {
	folder := filepath.Dir(path)
	if err := atomicfile.MakeFolder(folder); err != nil {
		return nil, err
	}
	if err := agentclient.CheckPlace(path); err != nil {
		return nil, err
	}
	var dialer net.Dialer
	if c, err := dialer.DialContext(ctx, "unix", path); err == nil {
		_ = c.Close()
		return nil, ErrRunning
	}
	bounded, cancel := context.WithTimeout(ctx, listenBound)
	defer cancel()
	// Held for as long as the socket has its name.
	lock, err := filelock.Acquire(bounded, filepath.Join(folder, filepath.Base(path)+".lock"))
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, ErrRunning
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = lock.Release()
		}
	}()
	socket, err := bind(path)
	if err != nil {
		return nil, err
	}
	l := &Listener{UnixListener: socket, path: path, lock: lock}
	if l.made, err = os.Lstat(path); err != nil {
		_ = socket.Close()
		return nil, err
	}
	return l, nil
}

// bindClosed makes a socket with mode 0600 in place of what is at path.
func bindClosed(path string) (*net.UnixListener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
	if err != nil {
		return nil, err
	}
	// Closing must not remove the socket of the next agent.
	socket.SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		_ = socket.Close()
		return nil, err
	}
	return socket, nil
}

// Addr is the path of the socket.
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Net: "unix", Name: l.path} }

// Unname removes the socket, so that nobody finds it any more; those who are
// connecting are still to be let in.
func (l *Listener) Unname() {
	l.unname.Do(func() {
		if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.made) {
			_ = os.Remove(l.path)
		}
		_ = l.lock.Release()
	})
}

// Close ends the listener, and removes the socket.
func (l *Listener) Close() error {
	l.Unname()
	return l.UnixListener.Close()
}
