// Package agent hands out access tokens to the programs of one user, so that
// none of them has to hold a refresh token: HTTP/1.1 and JSON over a Unix
// socket. The protocol is described in docs/agent.md. The command line tool
// runs one (authring agent); a program may run one of its own.
//
// An [Agent] holds sessions, keeps their access tokens in memory, and renews
// them before they expire for as long as somebody asks. No reply has a refresh
// token in it, whatever was asked.
package agent

import (
	"context"
	"log/slog"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/bootclock"
)

// Protocol is the version of the protocol: the v1 of its paths.
const Protocol = 1

// Config says how an [Agent] works. Open alone has to be set.
type Config struct {
	// Open opens the session of a link. It is called from any goroutine. The
	// session must not itself use an agent (authring.WithAgent), unless
	// that is another one, and is closed by this one.
	Open func(app, config string) (*authring.Session, error)

	// Described names the file from which Open takes what is known of the
	// provider of a link: a link is opened anew when it has changed. Empty:
	// there is no such file; nil: there is none for any link.
	Described func(app, config string) (file string)

	// Realm marks the environment of the agent. A request that carries
	// another mark (header Authring-Realm) is answered with 421.
	Realm string

	// Version is told to whoever asks.
	Version string

	// Idle is how long after the last request the agent ends, and a link
	// that nobody asked for is dropped from memory. Zero: the agent does
	// not end, and links stay for an hour.
	Idle time.Duration

	// Limits bound what others can take of the agent.
	Limits Limits

	// Only restricts the agent to access tokens of this one link, for a
	// socket that is handed to a program, a container or another machine.
	// Requests need not name the link then, and cannot name another.
	Only *Link

	// Users may connect beside the user that the agent runs as, by their
	// numbers.
	Users []int

	// KeepAlive lists the links that are to be refreshed from time to time, so
	// that none ends because nobody uses it (authring.Session.KeepAlive). It is
	// asked once an hour and more; not with Only, which is there for one link,
	// and not for long. nil: there are none.
	KeepAlive func() ([]Link, error)

	// Authorize decides on each request for a token, and may take its time.
	// nil: every process of the user may ask for every link. An error that
	// is no [*RefusedError] is a fault, and nothing is handed out either.
	Authorize func(context.Context, Ask) (Answer, error)

	// Audit is told of each answer to a request for a token. It must not
	// block.
	Audit func(Entry)

	// Explain words an error for people. nil: the error's own text.
	Explain func(err error, link Link) (message, hint string)

	// Logger is told what a maintainer would ask for; never a secret. nil:
	// nothing is logged.
	Logger *slog.Logger

	clock bootclock.Clock
}

// Link names a link.
type Link struct{ App, Config string }

// Limits bound what others can take of an agent. Zero values stand for the
// defaults.
type Limits struct {
	// Connections is how many there may be at once (default 2048, and never
	// more than half of the descriptors that the process may have). One more
	// is answered with 503.
	Connections int
	// Silent is how many connections may be open and ask for nothing
	// (default 256). For one more, that which has been silent longest is
	// closed.
	Silent int
	// SilentEach is the same for one process (default 64).
	SilentEach int
	// Links is how many may be in memory (default 4096). For one more, that
	// which was not asked for longest is dropped.
	Links int
	// Header is how long a request may take to come (default 5 s). Its size
	// is at most 8 KiB.
	Header time.Duration
	// Answer is how long the agent works on a request (default 3 min).
	Answer time.Duration
}

func (l Limits) withDefaults() Limits {
	set := func(field *int, value int) {
		if *field <= 0 {
			*field = value
		}
	}
	set(&l.Connections, 2048)
	set(&l.Silent, 256)
	set(&l.SilentEach, 64)
	set(&l.Links, 4096)
	if l.Header <= 0 {
		l.Header = 5 * time.Second
	}
	if l.Answer <= 0 {
		l.Answer = 3 * time.Minute
	}
	if most := descriptors() / 2; most > 0 {
		l.Connections = min(l.Connections, most)
	}
	l.Silent = min(l.Silent, l.Connections)
	return l
}
