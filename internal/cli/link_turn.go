package cli

import (
	"context"
	"errors"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/provider"
)

// takeTurn makes sure that no other process leads somebody through the same
// link, and reports whether there is still something to link.
func (l *linking) takeTurn(ctx context.Context) (bool, error) {
	began, asked := time.Now(), l.relink
	waited := false
	turn, err := l.session.TakeLinkTurn(ctx, authring.TurnRequest{
		Unattended: l.noInput,
		Waiting: func(process string, since time.Time) {
			waited = true
			l.say("%q is being linked by %s, since %s; waiting for that (Ctrl-C to stop).",
				l.config, printable(process), since.Local().Format("15:04:05"))
		},
	})
	if err != nil {
		return false, err
	}
	l.turn = turn
	if !waited {
		return true, nil
	}
	// The other process may have made the link, or died.
	status, err := l.session.Status(ctx)
	if err != nil {
		return false, err
	}
	if status.State == authring.Linked && !status.Record.Linked.Before(began.Truncate(time.Second)) {
		l.relink = false
	} else {
		l.relink = asked
	}
	return l.checkState(ctx)
}

// endTurn gives the turn back, with what came of it.
func (l *linking) endTurn(ctx context.Context, err error) {
	switch {
	case l.turn == nil:
	case err == nil:
		l.turn.End(authring.TurnLinked)
	case interrupted(ctx, err):
		l.turn.End(authring.TurnGivenUp)
	default:
		l.turn.End(authring.TurnFailed)
	}
}

// mayOpen reports whether a browser may be opened now. A process that opened
// one may do so again for the few fresh pages that it shows.
func (l *linking) mayOpen() bool {
	l.opened = l.opened || l.turn.MayOpenBrowser()
	return l.opened
}

// linkByDevice shows a code to be typed on another device, and waits until
// access was approved there.
func (l *linking) linkByDevice(ctx context.Context) error {
	err := l.session.VerifyDevice(ctx, l.showDevice)
	switch {
	case err == nil && ctx.Err() != nil:
		l.discard(ctx)
		return errInterrupted
	case err == nil:
		return l.save(ctx)
	case ctx.Err() != nil:
		return errInterrupted
	case errors.Is(err, provider.ErrAccessDenied), errors.Is(err, provider.ErrDeviceExpired), errors.Is(err, provider.ErrCodeRejected):
		return l.begunInVain(err)
	case errors.Is(err, provider.ErrRequestRefused):
		return &failure{err: err, hint: "Without a code for another device: " + l.command("link", "--way", wayPaste) + "\n" + l.hintOf(err)}
	}
	return err
}

// begunInVain is the failure of a link whose page or code is of no more use.
func (l *linking) begunInVain(err error) error {
	return &failure{err: err, hint: "Nothing was changed. To try again: " + l.again()}
}

// again spells the command that links as this one does.
func (l *linking) again() string {
	var flags []string
	if l.relink {
		flags = append(flags, "--relink")
	}
	if l.way != wayAuto {
		flags = append(flags, "--way", l.way)
	}
	if l.keyring != "" {
		flags = append(flags, "--keyring", l.keyring)
	}
	return l.command("link", flags...)
}
