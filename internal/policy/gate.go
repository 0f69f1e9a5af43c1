package policy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Question is what the user is asked.
type Question struct {
	App, Config string
	Who         Process
	Scope       []string // empty: all that the grant has
	Remember    time.Duration
}

// Gate decides requests, one after the other or at once: by the policy of the
// link as it is on disk at that moment, and by asking the user.
type Gate struct {
	// Path is where the policy of a link is.
	Path func(app, config string) (string, error)
	// Question asks the user, within ctx. An error means that nobody could be
	// asked.
	Question func(ctx context.Context, q Question) (allowed bool, err error)

	sums sums

	mu      sync.Mutex
	loaded  map[string]loaded
	answers map[string]answer
	open    map[string]*question
	asking  chan struct{}
}

// loaded is a policy and the file that it was read from.
type loaded struct {
	info   os.FileInfo
	policy *Policy
}

type answer struct {
	allowed bool
	err     error // that there was none in time
	until   time.Time
}

// question is one that is open; those who ask the same wait for its answer.
type question struct {
	done    chan struct{}
	allowed bool
	err     error
}

const (
	// questionBound is how long a question stays open.
	questionBound = 60 * time.Second
	// mostOpen is how many may wait for the user at a time, and mostAnswers
	// how many answers are remembered.
	mostOpen, mostAnswers = 8, 256
	// refusalRest is how long a no holds, and that nobody answered, so that
	// nobody is asked until a yes comes.
	refusalRest = time.Minute
)

// ErrUnasked: the user was to be asked, and could not be.
var ErrUnasked = errors.New("the user could not be asked")

// Decide says whether a process may have a token of a link, and with which
// scope. The effect is [Allow] or [Deny], with the reason.
func (g *Gate) Decide(ctx context.Context, app, config string, ask Request) Decision {
	p, err := g.load(app, config)
	if err != nil {
		return Decision{Effect: Deny, Reason: err.Error(), Unreadable: true}
	}
	d := p.Evaluate(ask, World{Now: time.Now(), File: os.Stat, Hash: g.sums.of})
	if d.Effect != Ask {
		return d
	}
	allowed, err := g.ask(ctx, d, Question{App: app, Config: config, Who: ask.Who, Scope: d.Scope, Remember: d.Remember})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		d.Effect, d.Reason = Deny, fmt.Sprintf("rule %d asked you, and you did not answer in time", d.Rule)
	case err != nil:
		d.Effect, d.Reason = Deny, fmt.Sprintf("rule %d asks you, and %v: %v", d.Rule, ErrUnasked, err)
	case allowed:
		d.Effect, d.Answered = Allow, true
	default:
		d.Effect, d.Answered = Deny, true
		d.Reason = fmt.Sprintf("rule %d asked you, and you did not allow it", d.Rule)
	}
	if d.Effect == Deny {
		d.Scope = nil
	}
	return d
}

// Open reports whether a link has no rules, so that it does not matter who asks.
func (g *Gate) Open(app, config string) bool {
	p, err := g.load(app, config)
	return p == nil && err == nil
}

// load reads a policy, unless the file is the one that was read before.
func (g *Gate) load(app, config string) (*Policy, error) {
	path, err := g.Path(app, config)
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("could not read the policy: %w", err)
	}
	g.mu.Lock()
	known, ok := g.loaded[path]
	g.mu.Unlock()
	if ok && os.SameFile(known.info, info) && unchanged(known.info, info) {
		return known.policy, nil
	}
	p, err := Load(path)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.loaded == nil || len(g.loaded) > mostAnswers {
		g.loaded = map[string]loaded{}
	}
	g.loaded[path] = loaded{info, p}
	return p, nil
}

// ask asks the user, once for all who ask the same at a time, and one question
// at a time.
func (g *Gate) ask(ctx context.Context, d Decision, q Question) (bool, error) {
	if g.Question == nil {
		return false, errors.New("there is no way to")
	}
	key := q.key(d.Rule)
	g.mu.Lock()
	if a, ok := g.answers[key]; ok && time.Now().Before(a.until) {
		g.mu.Unlock()
		return a.allowed, a.err
	}
	waiting, ok := g.open[key]
	if !ok {
		if len(g.open) >= mostOpen {
			g.mu.Unlock()
			return false, fmt.Errorf("%d questions are open already", mostOpen)
		}
		waiting = &question{done: make(chan struct{})}
		if g.open == nil {
			g.open, g.asking = map[string]*question{}, make(chan struct{}, 1)
		}
		g.open[key] = waiting
		// Of its own: others may wait for it by the time this caller leaves.
		go g.put(context.WithoutCancel(ctx), key, q, waiting)
	}
	g.mu.Unlock()
	select {
	case <-waiting.done:
		return waiting.allowed, waiting.err
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// put puts one question to the user and remembers the answer.
func (g *Gate) put(ctx context.Context, key string, q Question, waiting *question) {
	ctx, cancel := context.WithTimeout(ctx, questionBound)
	defer cancel()
	select {
	case g.asking <- struct{}{}:
		waiting.allowed, waiting.err = g.Question(ctx, q)
		<-g.asking
	case <-ctx.Done():
		waiting.err = errors.New("another question was open for too long")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, key)
	lasts := q.Remember
	if !waiting.allowed {
		lasts = max(lasts, refusalRest)
	}
	unanswered := errors.Is(waiting.err, context.DeadlineExceeded)
	if unanswered {
		lasts = refusalRest
	}
	if (waiting.err == nil || unanswered) && lasts > 0 && q.Who.Exe != nil {
		g.remember(key, answer{waiting.allowed, waiting.err, time.Now().Add(lasts)})
	}
	close(waiting.done)
}

// remember keeps an answer. The caller holds mu.
func (g *Gate) remember(key string, a answer) {
	if g.answers == nil || len(g.answers) >= mostAnswers {
		g.answers = map[string]answer{}
	}
	g.answers[key] = a
}

// key is the same for questions that a user would take for the same: of the
// same program, for the same. A process whose program is not known is itself.
func (q Question) key(rule int) string {
	who := fmt.Sprintf("pid %d", q.Who.PID)
	if q.Who.Exe != nil {
		who = fmt.Sprintf("%s %v %s", fileID(q.Who.Exe), q.Who.Foreign, q.Who.Path)
	}
	return fmt.Sprintf("%q %q %d %q %q %q", q.App, q.Config, rule, who, q.Who.Cgroup, strings.Join(slices.Sorted(slices.Values(q.Scope)), " "))
}
