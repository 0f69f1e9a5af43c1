package secretservice

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/internal/sessionbus"
	"github.com/authring/authring/keyring"
)

// probeBound is how long a look may take in all.
const probeBound = 3 * time.Second

// Probe tells how the Secret Service stands. It starts no provider, opens no
// session and asks nobody.
func (k *Keyring) Probe(ctx context.Context) keyring.Status {
	status := keyring.Status{Name: name}
	ctx, cancel := context.WithTimeout(ctx, probeBound)
	defer cancel()
	address, err := k.address()
	if errors.Is(err, sessionbus.ErrNoBus) {
		status.Detail = err.Error()
		return status
	}
	var conn *dbus.Conn
	if err == nil {
		conn, err = sessionbus.ConnectTo(ctx, address)
	}
	if err != nil {
		status.Availability, status.Detail = keyring.Unavailable, errConnect.Error()
		return status
	}
	defer conn.Close()
	l := newLink(conn, min(k.bound, probeBound))
	l.owner, err = l.nameOwner(ctx)
	if isError(err, errNameHasNoOwner) {
		return l.probeStartable(ctx, status)
	}
	if err == nil {
		status.Name = l.providerName(ctx)
		status.Availability, err = l.probeCollection(ctx)
	}
	if err != nil {
		e := outcome(err)
		status.Availability, status.Detail = keyring.Unavailable, e.Detail
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errNoAnswer) {
			status.Detail = errNoAnswer.Error()
		}
	}
	return status
}

func (l *link) probeStartable(ctx context.Context, status keyring.Status) keyring.Status {
	body, err := l.ask(ctx, l.bus("ListActivatableNames"))
	names, _ := decodeAt[[]string](body, 0)
	if err == nil && slices.Contains(names, busName) {
		status.Availability, status.Detail = keyring.Startable, "it is started at its first use"
		return status
	}
	status.Detail = detailNoProvider
	return status
}

func (l *link) probeCollection(ctx context.Context) (keyring.Availability, error) {
	collection, err := l.resolve(ctx)
	if err != nil {
		return keyring.Unavailable, err
	}
	locked, err := l.isLocked(ctx, collection)
	if err != nil {
		return keyring.Unavailable, err
	}
	if locked {
		return keyring.Locked, nil
	}
	return keyring.Ready, nil
}
