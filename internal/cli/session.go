package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider/registry"
)

// open opens the session of a config name as the global flags say.
func (p *program) open(config string, opts ...authring.Option) (*authring.Session, error) {
	entry, err := p.entryOf(config)
	if err != nil {
		return nil, err
	}
	p.opened.keep(config, entry.Provider)
	return p.openWith(config, entry, opts...)
}

// openWith is open for a provider that was chosen already.
func (p *program) openWith(config string, entry *registry.Entry, opts ...authring.Option) (*authring.Session, error) {
	base := append(providerOptions(entry), authring.WithApp(p.app), authring.WithEvents(p.event))
	if p.verbose {
		base = append(base, authring.WithLogger(p.logger()))
	}
	if p.noInput {
		base = append(base, authring.WithPrompt(keyring.NoPrompt))
	}
	base = append(base, p.keyringOptions()...)
	return authring.Open(config, append(base, opts...)...)
}

// event tells the user what a session reports while it works.
func (p *program) event(e authring.Event) {
	switch e.Kind {
	case authring.EventWaiting:
		if !p.stderr.terminal || e.Keyring == keyring.Sealed {
			return // it asks here, where its question must stay the last line
		}
		text := "Waiting for " + printable(e.Text) + "…"
		switch {
		case e.Keyring == "":
		case p.waitKeyring > 0:
			text = "Waiting for " + printable(e.Text) + " (unlock it to go on)…"
		default:
			text = "Waiting for " + printable(e.Text) + " (unlock it if it asks)…"
		}
		p.say("%s", p.stderr.paint(dim, text))
	case authring.EventGrantAlive, authring.EventInDoubt:
		p.warn("%s", withCause(e.Text, e.Err))
	case authring.EventTrouble:
		p.warn("%s", e.Text)
	case authring.EventLeftover:
		p.warn("%s", withCause(e.Text+" in the keyring "+string(e.Keyring), e.Err))
	}
}

func withCause(text string, err error) string {
	if err == nil {
		return text
	}
	return text + ": " + err.Error()
}

// warn writes a line that should be noticed.
func (p *program) warn(format string, args ...any) {
	p.say("%s %s", p.stderr.paint(yellow, "!"), printable(fmt.Sprintf(format, args...)))
}

// done writes a line on what was achieved.
func (p *program) done(format string, args ...any) {
	p.say("%s %s", p.stderr.paint(green, "✓"), printable(fmt.Sprintf(format, args...)))
}

// retryBound is how long a command goes on for revocations that were left for
// later.
const retryBound = 5 * time.Second

// retryAfter is retryRevocations for a verb that ended with err: where that
// was for want of a connection, there is none for this either.
func (p *program) retryAfter(ctx context.Context, s *authring.Session, err error) {
	if !errors.Is(err, authring.ErrConnectionFailed) && !interrupted(ctx, err) {
		p.retryRevocations(ctx, s, retryBound)
	}
}

// retryRevocations tries again what an earlier unlink could not do. It is no
// part of the verb that runs: it says what it achieved, and fails nothing.
func (p *program) retryRevocations(ctx context.Context, s *authring.Session, bound time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	own := s.Provider()
	p.retryWith(ctx, s)
	for _, name := range p.pendingProviders() {
		entry, err := p.providerNamed(name)
		if name == own.Name || err != nil || ctx.Err() != nil {
			continue
		}
		other, err := p.openWith(s.ConfigName(), entry)
		if err != nil {
			continue
		}
		p.retryWith(ctx, other)
		_ = other.Close()
	}
}

// retryWith is retryRevocations for the provider of one session.
func (p *program) retryWith(ctx context.Context, s *authring.Session) {
	retried, err := s.RetryRevocations(ctx)
	if p.verbose && err != nil {
		p.logger().Debug("could not retry revocations", "error", err)
	}
	for _, r := range retried {
		switch {
		case r.Done:
			p.done("Revoked at %s, as was left over: the former link %q (%s)", s.Provider().Title, r.Config, r.AccountID)
		case r.Err != nil && p.verbose:
			p.logger().Debug("revocation is still pending", "config", r.Config, "error", r.Err)
		}
	}
}

// lookBound is the same for a command that only looks at files, and should
// not be held up for long where there is no network.
const lookBound = 2 * time.Second

// retryPending is retryRevocations for verbs that have no session of their
// own. With nothing pending it does nothing.
func (p *program) retryPending(ctx context.Context) {
	if p.pendingRevocations() == 0 {
		return
	}
	s, err := p.open(p.config)
	if err != nil {
		return
	}
	defer func() { _ = s.Close() }()
	p.retryRevocations(ctx, s, lookBound)
}

// grace is how long what was begun may go on after Ctrl-C.
const grace = 5 * time.Second

// patient is a context for what should end whole even if the run is
// interrupted: it outlives ctx by at most grace.
func (p *program) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if p.stderr.terminal {
			p.say("\n%s", p.stderr.paint(dim, "Ending what was begun…"))
		}
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(out, func() { timer.Stop() })
	})
	return out, func() { stop(); cancel() }
}

// interrupted reports whether the run was ended by the user.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, errInterrupted)
}
