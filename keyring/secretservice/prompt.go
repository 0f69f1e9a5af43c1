package secretservice

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
)

const (
	// dismissBound is how long a question that is withdrawn may hold up its
	// caller.
	dismissBound = time.Second
	// quietPrompt is how long a prompt may take that has nothing to ask.
	quietPrompt = keyring.Prompt(2 * time.Second)
)

// question is a prompt that the provider shows to its user (Secret Service
// specification, section "Prompts and Prompting").
type question struct {
	path dbus.ObjectPath

	answered  chan struct{} // closed once what follows is known
	dismissed bool
	result    dbus.Variant
	err       error

	withdrawn chan struct{} // closed once nobody waits any more
	waiting   int           // guarded by link.mu
}

func (q *question) isOver() bool {
	select {
	case <-q.answered:
		return true
	default:
		return false
	}
}

// finish runs a prompt that stands between a request and its being done, on a
// keyring that is unlocked. KeePassXC hands out a prompt for every change; most
// of them come to an end without a question. Where its user has to confirm,
// and nobody may be asked, the question is withdrawn at once.
func (l *link) finish(ctx context.Context, path dbus.ObjectPath, prompt keyring.Prompt) (dbus.Variant, error) {
	quiet := prompt <= keyring.NoPrompt
	if quiet {
		prompt = quietPrompt
	}
	q, err := l.pose(ctx, path)
	if err != nil {
		return dbus.Variant{}, err
	}
	result, err := l.await(ctx, q, prompt)
	if quiet && errors.Is(err, errUnanswered) {
		err = &keyring.Error{Kind: keyring.ErrLocked, Detail: "it wants its user to confirm that"}
	}
	return result, err
}

// pose shows a prompt, for one who waits.
func (l *link) pose(ctx context.Context, path dbus.ObjectPath) (*question, error) {
	signals := make(chan *dbus.Signal, 16)
	l.conn.Signal(signals)
	unwatch, err := l.watch(ctx, path)
	if err != nil {
		unwatch()
		l.conn.RemoveSignal(signals)
		return nil, err
	}
	q := &question{path: path, waiting: 1, answered: make(chan struct{}), withdrawn: make(chan struct{})}
	shown := l.request(path, promptIface, "Prompt", "").send(context.Background()).Done
	go func() {
		l.attend(q, signals, shown)
		unwatch()
		l.conn.RemoveSignal(signals)
		close(q.answered)
	}()
	return q, nil
}

// attend waits for the answer to a question, or the end of the connection.
func (l *link) attend(q *question, signals <-chan *dbus.Signal, shown <-chan *dbus.Call) {
	for {
		select {
		case signal, open := <-signals:
			switch {
			case !open || l.isFarewell(signal):
				q.err = errVanished
				return
			case l.isCompleted(signal, q.path):
				q.dismissed, q.result, q.err = decodeCompleted(signal.Body)
				return
			}
		case call := <-shown:
			// The answer comes by signal, also where this call waits for it.
			shown = nil
			if call.Err != nil {
				q.err = call.Err
				if isStale(q.err) {
					q.err = errVanished
				}
				return
			}
		case <-q.withdrawn:
			return
		}
	}
}

// await returns the result of a question. One that is not answered in time is
// withdrawn, unless others still wait for it.
func (l *link) await(ctx context.Context, q *question, prompt keyring.Prompt) (dbus.Variant, error) {
	asking, cancel := context.WithTimeout(ctx, time.Duration(prompt))
	defer cancel()
	select {
	case <-q.answered:
		if q.err == nil && q.dismissed {
			return dbus.Variant{}, &keyring.Error{Kind: keyring.ErrDismissed}
		}
		return q.result, q.err
	case <-asking.Done():
	}
	if l.leave(q) {
		// Worth an attempt even after ctx has ended.
		dismissing, cancel := context.WithTimeout(context.WithoutCancel(ctx), dismissBound)
		defer cancel()
		_, _ = l.ask(dismissing, l.request(q.path, promptIface, "Dismiss"))
	}
	if err := ctx.Err(); err != nil {
		return dbus.Variant{}, &keyring.Error{Kind: keyring.ErrLocked, Err: err}
	}
	return dbus.Variant{}, errUnanswered
}

// leave counts one out who waited, and reports whether the question is to be
// withdrawn.
func (l *link) leave(q *question) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	q.waiting--
	if q.waiting > 0 || mustStand(q.path) {
		return false
	}
	for target, other := range l.questions {
		if other == q {
			delete(l.questions, target)
		}
	}
	close(q.withdrawn)
	return true
}

// mustStand reports whether a prompt is one of gnome-keyring's to unlock,
// which it names u1, u2 and so on. Version 42, and as far as is known every one
// up to 50, aborts when such a prompt is dismissed while one is on the screen,
// be it this or that of another program (an assertion in perform_next_unlock),
// and with it goes every keyring that was open. So the question stands until
// its user answers it; who asks again meanwhile waits for the same answer.
func mustStand(path dbus.ObjectPath) bool {
	number, ok := strings.CutPrefix(string(path), string(servicePath)+"/prompt/u")
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
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

// decodeCompleted reads the signal Completed: whether the user turned the
// question down, and the result if not.
func decodeCompleted(body []any) (dismissed bool, result dbus.Variant, err error) {
	dismissed, err1 := decodeAt[bool](body, 0)
	result, err2 := decodeAt[dbus.Variant](body, 1)
	return dismissed, result, errors.Join(err1, err2)
}
