package sessionbus

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	// blindPause is how long a bus that is not there is left alone where
	// nothing tells of its socket: its folder is yet to be made, or this
	// system has no word for it.
	blindPause = 250 * time.Millisecond
	// watchedPause is the same where the system does tell. A socket that was
	// made takes connections a moment later, of which nothing tells.
	watchedPause = time.Second
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
// ctx.
func await(ctx context.Context, address func() (string, error)) (*dbus.Conn, error) {
	for {
		// Watched before it is looked for, so that it cannot come in between.
		folder := socketFolder(address)
		made, end := watchFolder(folder)
		one, err := address()
		if err == nil {
			var conn *dbus.Conn
			if conn, err = ConnectTo(ctx, one); err == nil {
				end()
				return conn, nil
			}
		}
		bound := blindPause
		if made != nil {
			bound = watchedPause
		}
		pause(ctx, made, bound)
		end()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
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

// socketFolder is where the socket of the bus will be, or "".
func socketFolder(address func() (string, error)) string {
	one, err := address()
	if err != nil {
		if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
			return dir
		}
		return ""
	}
	first, _, _ := strings.Cut(one, ";")
	name, err := socketName(first)
	if err != nil || !filepath.IsAbs(name) {
		return "" // or an abstract one, which is in no folder
	}
	return filepath.Dir(name)
}
