package secretservice

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/sessionbus"
	"github.com/authring/authring/keyring"
)

// startBound is how long the bus may take to start a provider. The bus gives
// up by itself after about as long.
const startBound = 25 * time.Second

// link is a connection of our own to one running provider.
type link struct {
	conn  *dbus.Conn
	bound time.Duration
	// owner is the provider's unique bus name, which is never given to
	// another. A session belongs to it: addressed by the well-known name, a
	// provider that was started anew could take our session for another.
	owner string
	keys  func() (*keyPair, error)

	// asking is held by the one who is about to have something unlocked.
	asking chan struct{}

	mu      sync.Mutex
	session *session
	// By what is to be unlocked: the questions that are on the screen, and
	// the prompts that were handed out and not shown.
	questions map[dbus.ObjectPath]*question
	prompts   map[dbus.ObjectPath]dbus.ObjectPath

	users int         // guarded by Keyring.mu
	idle  *time.Timer // guarded by Keyring.mu
}

func newLink(conn *dbus.Conn, bound time.Duration) *link {
	return &link{
		conn: conn, bound: bound, asking: make(chan struct{}, 1),
		questions: map[dbus.ObjectPath]*question{}, prompts: map[dbus.ObjectPath]dbus.ObjectPath{},
	}
}

// acquire returns the kept connection, or a fresh one.
func (k *Keyring) acquire(ctx context.Context) (l *link, fresh bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if l := k.kept(); l != nil {
		return l, false, nil
	}
	select {
	case k.dialing <- struct{}{}:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	defer func() { <-k.dialing }()
	if l := k.kept(); l != nil {
		return l, false, nil
	}
	l, err = k.dial(ctx)
	if err != nil {
		return nil, false, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	l.users = 1
	k.link = l
	return l, true, nil
}

func (k *Keyring) kept() *link {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.link
	if l == nil || !l.conn.Connected() {
		return nil
	}
	l.users++
	if l.idle != nil {
		l.idle.Stop()
		l.idle = nil
	}
	return l
}

// release ends one use of l. A connection on which something went wrong is
// used up; those who are still on it may finish.
func (k *Keyring) release(l *link, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	l.users--
	if k.link == l && isUsedUp(err) {
		k.link = nil
	}
	if l.users > 0 {
		return
	}
	if k.link != l {
		_ = l.conn.Close()
		return
	}
	l.idle = time.AfterFunc(idleBound, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if l.users > 0 || l.idle == nil {
			return
		}
		if l.isAsking() {
			// Its user may answer yet, and the next caller joins.
			l.idle.Reset(idleBound)
			return
		}
		if k.link == l {
			k.link = nil
		}
		_ = l.conn.Close()
	})
}

func (l *link) isAsking() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, q := range l.questions {
		if !q.isOver() {
			return true
		}
	}
	return false
}

func (k *Keyring) dial(ctx context.Context) (*link, error) {
	address, err := k.address()
	if err != nil {
		return nil, err
	}
	// The other processor has the key ready by the time the bus has answered.
	keys := sync.OnceValues(newKeyPair)
	go func() { _, _ = keys() }()
	conn, err := sessionbus.ConnectTo(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConnect, err)
	}
	l := newLink(conn, k.bound)
	l.keys = keys
	l.owner, err = l.nameOwner(ctx)
	if isError(err, errNameHasNoOwner) {
		if err = l.startProvider(ctx); err == nil {
			l.owner, err = l.nameOwner(ctx)
		}
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return l, nil
}

func (l *link) nameOwner(ctx context.Context) (string, error) {
	body, err := l.ask(ctx, l.bus("GetNameOwner", busName))
	if err != nil {
		return "", err
	}
	return decodeAt[string](body, 0)
}

// startProvider lets the bus start the provider that is installed for it, as
// any call to the well-known name would.
func (l *link) startProvider(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startBound)
	defer cancel()
	call := l.bus("StartServiceByName", busName, uint32(0)).send(ctx)
	<-call.Done
	switch {
	case call.Err == nil:
		return nil
	case isError(call.Err, errServiceUnknown):
		return &keyring.Error{Kind: keyring.ErrAbsent, Detail: detailNoProvider}
	case errors.Is(call.Err, context.DeadlineExceeded):
		return fmt.Errorf("%w: its provider did not start", errNoAnswer)
	default:
		return call.Err
	}
}
