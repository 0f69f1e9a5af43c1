package agent

import (
	"time"

	"github.com/authring/authring/internal/peer"
)

// Process is who asks: the process that made the connection.
type Process struct {
	UID int // -1 where users have no number
	PID int // 0 if it cannot be seen from here, as in another container
	// Executable is the path of its program, as of a second ago at most;
	// empty if it is not known.
	Executable string

	peer peer.Peer
}

// Check returns nil while PID is still the number of the process that asks. It
// is to be asked after something was looked up by the number.
func (p Process) Check() error { return p.peer.Alive() }

// Ask is a request for an access token.
type Ask struct {
	Link
	Process Process
	// Scope is what the token is to be limited to; nil: not limited.
	Scope []string
	// MinValid is how long it has to be valid; zero: the usual.
	MinValid time.Duration
	// Fresh is set when it has to be made anew.
	Fresh bool
}

// Answer is the yes of Config.Authorize.
type Answer struct {
	// Scope replaces that of the request: the token is limited to it. nil:
	// as was asked.
	Scope []string
	// Rule is what allowed it, for the audit log.
	Rule string
	// Note is handed to Config.Audit as it is.
	Note any
}

// RefusedError is the no of Config.Authorize. It is answered with 403.
type RefusedError struct {
	Message string // says who refused what, for people
	Hint    string // says what to do about it
	Rule    string // is what refused it, for the audit log
	Note    any    // is handed to Config.Audit as it is
}

// Error returns the message.
func (e *RefusedError) Error() string { return e.Message }

// Entry is what the audit log is told of a request for a token.
type Entry struct {
	Time time.Time
	Ask  Ask
	// Scope is what the token was limited to; nil: not limited, or none was
	// given.
	Scope []string
	// Rule is what allowed or refused it, and Note what came with that.
	Rule string
	Note any
	// Outcome is "ok", or the name of an error, such as refused or
	// not-linked.
	Outcome string
	// Expires is when the token that was given ends; zero: never, or none
	// was given.
	Expires time.Time
}
