package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/callback"
	"github.com/authring/authring/provider"
)

// seen is how long a browser has to show the page at the end.
const seen = 3 * time.Second

// brought is what came back from the page of the provider.
type brought struct {
	text       string
	redirected bool // by the browser itself, to the address that text is
}

// listen takes a port for the redirect, if the route has one. Without a port
// the code can be pasted still, if somebody is there to do it.
func (l *linking) listen() error {
	if len(l.route.listen) == 0 {
		return nil
	}
	receiver, err := callback.Listen(callback.Options{URIs: l.route.listen, Program: "authring", Provider: l.providerTitle(), AnyUser: l.inWSL()})
	switch {
	case err == nil:
		l.receiver = receiver
		return nil
	case l.noInput:
		return &failure{err: err, hint: "End the program that has the port, or link at a terminal: " + l.command("link")}
	}
	l.warn("%v", err)
	if len(l.redirects) > 0 {
		l.route.pasted = l.redirects[0]
	}
	return nil
}

// closeReceiver ends the wait for a redirect. A browser that brought one is
// given the time to show how it ended.
func (l *linking) closeReceiver(ctx context.Context) {
	if l.receiver == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), seen)
	defer cancel()
	l.receiver.Close(ctx)
}

// tell has the page in the browser say what became of its answer.
func (l *linking) tell(outcome callback.Outcome) {
	if l.receiver != nil {
		l.receiver.Tell(outcome)
	}
}

// beginPage begins a link whose page is opened in a browser.
func (l *linking) beginPage(ctx context.Context) (authring.PendingLink, error) {
	redirect := l.route.pasted
	if l.receiver != nil {
		redirect = l.receiver.RedirectURI()
	}
	if redirect == "" {
		return l.session.BeginLink(ctx)
	}
	pending, err := l.session.BeginRedirect(ctx, redirect)
	if err == nil && l.receiver != nil {
		from := l.session.Provider()
		l.answers = l.receiver.Expect(callback.Expected{State: pending.State, Issuer: from.Issuer, IssRequired: from.IssParameter})
		l.expires = pending.Expires
	}
	return pending, err
}

// await waits for the browser, and for what the user pastes. What comes first
// is taken, and the other wait is over: the terminal is as it was.
func (l *linking) await(ctx context.Context) (brought, error) {
	if l.receiver == nil {
		text, err := l.readCode(ctx, l.prompt())
		return brought{text: text}, err
	}
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	type line struct {
		text string
		err  error
	}
	var lines chan line
	if !l.noInput {
		lines = make(chan line, 1)
		go func() {
			text, err := l.readCode(reading, l.prompt())
			lines <- line{text, err}
		}()
	} else {
		l.say("Waiting for the browser.")
	}
	timer := time.NewTimer(time.Until(l.expires))
	defer timer.Stop()
	for {
		var ended error
		select {
		case address := <-l.answers:
			cancel()
			if lines != nil {
				<-lines // the terminal is as it was
			}
			return brought{address, true}, nil
		case read := <-lines:
			if read.err == nil && read.text == "" && !l.stdinTerminal() {
				lines = nil // nothing can be pasted: the browser alone will do
				l.say("Waiting for the browser.")
				continue
			}
			return brought{text: read.text}, read.err
		case <-ctx.Done():
			ended = errInterrupted
		case <-timer.C:
			ended = l.begunInVain(fmt.Errorf("%w: nothing came from the page", provider.ErrDeviceExpired))
		}
		cancel()
		if lines != nil {
			<-lines
		}
		return brought{}, ended
	}
}

// refusedRedirect is what is said of an answer that the browser itself brought
// and that another try would not change.
func (l *linking) refusedRedirect(err error) error {
	if errors.Is(err, provider.ErrAccessDenied) {
		l.tell(callback.Denied)
	}
	return l.begunInVain(err)
}
