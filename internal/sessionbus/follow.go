package sessionbus

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"
)

// blindPause and lastPause are variables for tests of what comes without them.
var (
	// blindPause is how long a bus that is not there is left alone where
	// nothing tells of its socket: it is in no folder, or this system has no
	// word for it.
	blindPause = 250 * time.Millisecond
	lastPause  = time.Second
)

const (
	// A socket that is there and takes no connection is tried again after a
	// pause that grows from the first to the last: one that was just made
	// takes them a moment later, of which nothing tells.
	firstPause = 10 * time.Millisecond
	// mostRefusals is how often a socket is tried that nobody listens to. By
	// then it is one that was left behind: who begins to listen makes it anew,
	// and that is told.
	mostRefusals = 12
)

// Follow calls changed for every signal that one of the rules matches (D-Bus
// specification, "Match Rules"), and each time that it begins to listen, since
// nobody can say what happened before. It waits for a bus that is not there
// yet, and for the next one when a bus ends. It returns when ctx has ended.
func Follow(ctx context.Context, address func() (string, error), rules []string, changed func()) {
	for ctx.Err() == nil {
		conn, err := await(ctx, address)
		if err != nil {
			return
		}
		listen(ctx, conn, rules, changed)
		_ = conn.Close()
		// A bus that answers and ends at once must not keep us busy.
		pause(ctx, nil, blindPause)
	}
}

// listen returns when the connection, or ctx, has ended.
func listen(ctx context.Context, conn *dbus.Conn, rules []string, changed func()) {
	signals := make(chan *dbus.Signal, 64)
	conn.Signal(signals)
	for _, rule := range rules {
		bounded, cancel := context.WithTimeout(ctx, connectBound)
		err := conn.BusObject().CallWithContext(bounded, "org.freedesktop.DBus.AddMatch", 0, rule).Err
		cancel()
		if err != nil {
			return
		}
	}
	changed()
	for {
		select {
		case signal, open := <-signals:
			if !open {
				return
			}
			// The bus tells each connection its own name, unasked.
			if signal.Name != "org.freedesktop.DBus.NameAcquired" {
				changed()
			}
		case <-conn.Context().Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// await returns a connection as soon as there is a bus. The error is that of
// ctx. While there is no socket it sleeps until the system tells of one.
func await(ctx context.Context, address func() (string, error)) (*dbus.Conn, error) {
	next, refusals := firstPause, 0
	for {
		// Watched before it is looked for, so that it cannot come in between.
		socket := socketPath(address)
		made, end := watchWay(socket)
		one, err := address()
		if err == nil {
			var conn *dbus.Conn
			if conn, err = ConnectTo(ctx, one); err == nil {
				end()
				return conn, nil
			}
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			refusals = 0
		} else {
			refusals++
		}
		switch {
		case made == nil:
			pause(ctx, nil, blindPause)
		case !isThere(socket):
			next = firstPause
			sleep(ctx, made)
		case refusals > mostRefusals:
			sleep(ctx, made)
			refusals = 0
		default:
			pause(ctx, made, next)
			next = min(2*next, lastPause)
		}
		end()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// isThere reports whether something has a name, be it a link that leads
// nowhere yet.
func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// watchWay tells when something changes in the folder of a path, or, where that
// is missing, in the first folder above it that is there. It is told of once;
// end gives back what that takes. The channel is nil where that cannot be
// watched.
func watchWay(path string) (made <-chan struct{}, end func()) {
	if path == "" {
		return nil, func() {}
	}
	for below, at := path, filepath.Dir(path); ; {
		if made, end = watchFolder(at); made == nil {
			if isThere(at) || filepath.Dir(at) == at {
				return nil, end // it is there, and cannot be watched
			}
			below, at = at, filepath.Dir(at)
			continue
		}
		if below == path || !isThere(below) {
			return made, end
		}
		// It was made before anybody looked.
		end()
		below, at = path, filepath.Dir(path)
	}
}

func sleep(ctx context.Context, until <-chan struct{}) {
	select {
	case <-until:
	case <-ctx.Done():
	}
}

func pause(ctx context.Context, sooner <-chan struct{}, bound time.Duration) {
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case <-sooner:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// socketPath is where the socket of the bus will be, or "": where nothing names
// it, it is in no folder, or there are several that could be it.
func socketPath(address func() (string, error)) string {
	one, err := address()
	if err != nil {
		if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
			return filepath.Join(dir, "bus")
		}
		return ""
	}
	if strings.Contains(one, ";") {
		return ""
	}
	name, err := socketName(one)
	if err != nil || !filepath.IsAbs(name) {
		return "" // or an abstract one, which is in no folder
	}
	return name
}
