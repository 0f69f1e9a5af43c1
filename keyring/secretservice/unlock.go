package secretservice

import (
	"context"

	"github.com/godbus/dbus/v5"

	"github.com/authring/authring/keyring"
)

// unlock unlocks a collection or an item. Some need no answer of their user: a
// keyring without a password is opened even when nobody may be asked.
func (l *link) unlock(ctx context.Context, prompt keyring.Prompt, target dbus.ObjectPath) error {
	for again := false; ; again = true {
		q, err := l.questionFor(ctx, prompt, target)
		if err != nil || q == nil {
			return err
		}
		_, err = l.await(ctx, q, prompt)
		// A prompt that was kept may have been thrown away by the provider.
		if !isGone(err) || again {
			return err
		}
	}
}

// questionFor returns the question that is to be answered before target is
// unlocked: the one that stands, so that no user is asked twice at a time, or
// a new one. It is nil if there is nothing to ask.
func (l *link) questionFor(ctx context.Context, prompt keyring.Prompt, target dbus.ObjectPath) (*question, error) {
	select {
	case l.asking <- struct{}{}:
		defer func() { <-l.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	quiet := prompt <= keyring.NoPrompt
	q, path := l.standing(target, !quiet)
	if quiet && (q != nil || path != "") {
		return nil, &keyring.Error{Kind: keyring.ErrLocked}
	}
	if q != nil {
		return q, nil
	}
	if path == "" {
		body, err := l.ask(ctx, l.request(servicePath, serviceIface, "Unlock", []dbus.ObjectPath{target}))
		if err != nil {
			return nil, err
		}
		if path, err = decodePath(body, 1); err != nil || path == noPath {
			return nil, err
		}
	}
	if quiet {
		// Not dismissed, see mustStand; the next one who may ask uses it.
		l.mu.Lock()
		defer l.mu.Unlock()
		l.prompts[target] = path
		return nil, &keyring.Error{Kind: keyring.ErrLocked}
	}
	q, err := l.pose(ctx, path)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.questions[target] = q
	return q, nil
}

// standing returns the question about target that is on the screen, counting
// in one more who waits if join is set, or else the prompt that was not shown
// yet, which is then no longer kept if join is set.
func (l *link) standing(target dbus.ObjectPath, join bool) (*question, dbus.ObjectPath) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q := l.questions[target]; q != nil && !q.isOver() {
		if join {
			q.waiting++
		}
		return q, ""
	}
	path := l.prompts[target]
	if join {
		delete(l.prompts, target)
	}
	return nil, path
}
