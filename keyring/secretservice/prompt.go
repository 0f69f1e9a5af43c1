package secretservice

import (
	"context"
	"errors"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
)

// dismissBound is how long a question that is withdrawn may hold up its
// caller.
const dismissBound = time.Second

// quietPrompt is how long a prompt may take that has nothing to ask.
const quietPrompt = keyring.Prompt(2 * time.Second)

// finish runs a prompt that stands between a request and its being done, on a
// keyring that is unlocked. KeePassXC hands out a prompt for every change; most
// of them come to an end without a question. Where its user has to confirm,
// and nobody may be asked, the question is withdrawn at once.
func (l *link) finish(ctx context.Context, path dbus.ObjectPath, prompt keyring.Prompt) (dbus.Variant, error) {
	if prompt > keyring.NoPrompt {
		return l.prompt(ctx, path, prompt)
	}
	result, err := l.prompt(ctx, path, quietPrompt)
	if errors.Is(err, errUnanswered) {
		err = &keyring.Error{Kind: keyring.ErrLocked, Detail: "it wants its user to confirm that"}
	}
	return result, err
}

// prompt has the provider ask its user, and returns the result (Secret Service
// specification, section "Prompts and Prompting"). A question that must not
// be asked, or that nobody answers in time, is dismissed.
func (l *link) prompt(ctx context.Context, path dbus.ObjectPath, prompt keyring.Prompt) (dbus.Variant, error) {
	if prompt <= keyring.NoPrompt {
		l.dismiss(ctx, path)
		return dbus.Variant{}, &keyring.Error{Kind: keyring.ErrLocked}
	}
	asking, cancel := context.WithTimeout(ctx, time.Duration(prompt))
	defer cancel()

	signals := make(chan *dbus.Signal, 16)
	l.conn.Signal(signals)
	defer l.conn.RemoveSignal(signals)
	unwatch, err := l.watch(asking, path)
	defer unwatch()
	if err != nil {
		return dbus.Variant{}, err
	}
	shown := l.request(path, promptIface, "Prompt", "").send(asking).Done
	for {
		select {
		case signal, open := <-signals:
			if !open || l.isFarewell(signal) {
				return dbus.Variant{}, errVanished
			}
			if !l.isCompleted(signal, path) {
				continue
			}
			dismissed, result, err := decodeCompleted(signal.Body)
			if err == nil && dismissed {
				err = &keyring.Error{Kind: keyring.ErrDismissed}
			}
			return result, err
		case call := <-shown:
			// The answer comes by signal, also where this call waits for it.
			shown = nil
			if call.Err != nil && asking.Err() == nil {
				return dbus.Variant{}, vanished(call.Err)
			}
		case <-asking.Done():
			l.dismiss(ctx, path)
			if err := ctx.Err(); err != nil {
				return dbus.Variant{}, &keyring.Error{Kind: keyring.ErrLocked, Err: err}
			}
			return dbus.Variant{}, errUnanswered
		}
	}
}

// watch subscribes to what a prompt may end with: its answer, and the end of
// its provider.
func (l *link) watch(ctx context.Context, path dbus.ObjectPath) (unwatch func(), err error) {
	rules := []string{
		"type='signal',sender='" + l.owner + "',interface='" + promptIface + "',member='Completed',path='" + string(path) + "'",
		"type='signal',sender='" + busIface + "',interface='" + busIface + "',member='NameOwnerChanged',arg0='" + l.owner + "'",
	}
	requests := make([]request, len(rules))
	for i, rule := range rules {
		requests[i] = l.bus("AddMatch", rule)
	}
	for _, answer := range l.askAll(ctx, requests...) {
		err = errors.Join(err, answer.err)
	}
	return func() {
		for _, rule := range rules {
			l.conn.BusObject().Go(busIface+".RemoveMatch", dbus.FlagNoReplyExpected, make(chan *dbus.Call, 1), rule)
		}
	}, err
}

// isCompleted reports whether a signal is the answer to our prompt. Any
// program on the bus can send us one that looks like it; the bus itself puts
// the sender's name on it.
func (l *link) isCompleted(signal *dbus.Signal, path dbus.ObjectPath) bool {
	return signal.Name == promptIface+".Completed" && signal.Sender == l.owner && signal.Path == path
}

// isFarewell reports whether a signal says that the provider left the bus.
func (l *link) isFarewell(signal *dbus.Signal) bool {
	if signal.Name != busIface+".NameOwnerChanged" || signal.Sender != busIface {
		return false
	}
	name, err1 := decodeAt[string](signal.Body, 0)
	owner, err2 := decodeAt[string](signal.Body, 2)
	return err1 == nil && err2 == nil && name == l.owner && owner == ""
}

// dismiss withdraws a question. It is worth an attempt even after ctx has
// ended, and does not hold up the caller for long.
func (l *link) dismiss(ctx context.Context, path dbus.ObjectPath) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dismissBound)
	defer cancel()
	_, _ = l.ask(ctx, l.request(path, promptIface, "Dismiss"))
}

func vanished(err error) error {
	if isStale(err) {
		return errVanished
	}
	return err
}

// decodeCompleted reads the signal Completed: whether the user turned the
// question down, and the result if not.
func decodeCompleted(body []any) (dismissed bool, result dbus.Variant, err error) {
	dismissed, err1 := decodeAt[bool](body, 0)
	result, err2 := decodeAt[dbus.Variant](body, 1)
	return dismissed, result, errors.Join(err1, err2)
}
