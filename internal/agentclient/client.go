package agentclient

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

var (
	// ErrNoAgent: nobody listens at the socket.
	ErrNoAgent = errors.New("no agent is running")

	// ErrFailed: there is an agent, and it gave no whole answer in time, or
	// none that can be understood, or it has no room. Do without it.
	ErrFailed = errors.New("the agent gave no answer")

	// ErrOtherRealm: the agent at the socket is that of another environment.
	// Do without it.
	ErrOtherRealm = errors.New("the agent belongs to another environment")
)

// AgentError is an error that the agent reports, as the command line tool
// prints it with --json.
type AgentError struct {
	Status   int    // of HTTP
	Code     string // such as not-linked
	Message  string
	ExitCode int
	Hint     string
}

// Error returns the message.
func (e *AgentError) Error() string { return e.Message }

// Fallback reports whether the caller should do what it asked for by itself:
// there is no agent that can answer, or the agent cannot use the keyring,
// which the caller, who may ask the user, perhaps can.
func Fallback(err error) bool {
	var answer *AgentError
	if errors.As(err, &answer) {
		return answer.ExitCode == exitLocked || answer.ExitCode == exitUnavailable
	}
	return errors.Is(err, ErrNoAgent) || errors.Is(err, ErrFailed) || errors.Is(err, ErrOtherRealm)
}

// The exit codes of the command line tool for a keyring that is locked, and for
// one that cannot be used.
const (
	exitLocked      = 4
	exitUnavailable = 5
)

const (
	// longestReply is far more than any answer has.
	longestReply = 64 << 10
	// longestSilence is how long the agent may say nothing. While it works it
	// sends "102 Processing" (RFC 2518 section 10.1) every two seconds.
	longestSilence = 8 * time.Second
	// longestWait bounds all of it: longer than the agent works on a request.
	longestWait = 4 * time.Minute
)

// Request is what is asked for.
type Request struct {
	Config   string        // empty: the one link of a socket that has one, else the default
	App      string        // empty: likewise
	MinValid time.Duration // zero: the usual
	Fresh    bool
	Scope    string // narrower, with spaces between; empty: all
	Realm    string

	// Patience bounds the whole request, as a deadline of the context would
	// without its timer; zero: some minutes, longer than the agent works on one.
	Patience time.Duration
}

// Reply is an access token. It is a string, not a secret.Secret, as that one
// knows package fmt: it must not be printed.
type Reply struct {
	AccessToken string
	TokenType   string
	ExpiresAt   time.Time // zero: never
	Scope       string
	Config      string
	AccountID   string
	Provider    string // whose hosts alone may get it
}

// Token asks the agent at path for an access token. The errors are
// [ErrNoAgent], [ErrFailed], [ErrOtherRealm], [*AgentError], and ctx's.
func Token(ctx context.Context, path string, r Request) (Reply, error) {
	patience := r.Patience
	if patience <= 0 {
		patience = longestWait
	}
	body, err := call(ctx, patience, path, "GET", r.target(), r.Realm)
	if err != nil {
		return Reply{}, err
	}
	return parseToken(body)
}

// target is the request as the protocol writes it.
func (r Request) target() string {
	target, mark := "/v1/token", "?"
	add := func(name, value string) {
		if value != "" {
			target += mark + name + "=" + escape(value)
			mark = "&"
		}
	}
	add("config", r.Config)
	add("app", r.App)
	if r.MinValid > 0 {
		add("min_valid", r.MinValid.String())
	}
	if r.Fresh {
		add("fresh", "true")
	}
	add("scope", r.Scope)
	return target
}

// Call makes one request and returns the body of an answer of success. It has
// the errors of [Token].
func Call(ctx context.Context, path, method, target, realm string) ([]byte, error) {
	return call(ctx, longestWait, path, method, target, realm)
}

// mostTries is how often a request is sent whose connection the agent ended
// before it said anything.
const mostTries = 3

func call(ctx context.Context, patience time.Duration, path, method, target, realm string) ([]byte, error) {
	until := time.Now().Add(patience)
	status, body, err := exchange(ctx, until, path, method, target, realm)
	// An agent that is short of room ends connections that have said nothing
	// for long, as that of a process may that had to wait for a processor. One
	// that came as the agent ended finds the next one, or none.
	for tries := 1; tries < mostTries && method == "GET" && errors.Is(err, errSilent) && ctx.Err() == nil; tries++ {
		status, body, err = exchange(ctx, until, path, method, target, realm)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, err
	case status == 421:
		return nil, ErrOtherRealm
	case status == 503:
		return nil, errors.Join(ErrFailed, errors.New("it has no room"))
	case status >= 200 && status < 300:
		return body, nil
	default:
		return nil, parseError(status, body)
	}
}

func exchange(ctx context.Context, until time.Time, path, method, target, realm string) (status int, body []byte, err error) {
	conn, err := dial(path)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, conn.interrupt)()
	request := method + " " + target + " HTTP/1.1\r\nHost: authring\r\nConnection: close\r\n"
	if realm != "" {
		request += "Authring-Realm: " + realm + "\r\n"
	}
	if method == "POST" {
		request += "Content-Length: 0\r\n"
	}
	// An agent that refuses, as one with no room, may have answered and gone
	// before it read anything: its answer counts.
	_, writeErr := conn.Write([]byte(request + "\r\n"))
	answer := &patient{conn: conn, until: until}
	status, body, err = readReply(answer)
	switch {
	case err == nil:
		return status, body, nil
	case answer.read == 0 && !errors.Is(err, os.ErrDeadlineExceeded):
		return 0, nil, errors.Join(ErrFailed, errSilent, err, writeErr)
	default:
		return 0, nil, errors.Join(ErrFailed, err, writeErr)
	}
}

// errSilent: the connection was ended, and nothing was said.
var errSilent = errors.New("it ended the connection without a word")

// patient gives the agent time for each piece of what it says.
type patient struct {
	conn interface {
		io.Reader
		SetReadDeadline(time.Time) error
	}
	until time.Time
	read  int
}

func (p *patient) Read(b []byte) (int, error) {
	if p.read >= longestReply {
		return 0, errTooLong
	}
	piece := time.Now().Add(longestSilence)
	if p.until.Before(piece) {
		piece = p.until
	}
	_ = p.conn.SetReadDeadline(piece)
	n, err := p.conn.Read(b)
	p.read += n
	return n, err
}

// escape writes a value of the query component (RFC 3986 section 3.4).
func escape(value string) string {
	const unreserved = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
	const digits = "0123456789ABCDEF"
	plain := func(c byte) bool {
		for i := range len(unreserved) {
			if unreserved[i] == c {
				return true
			}
		}
		return false
	}
	out := make([]byte, 0, len(value))
	for i := range len(value) {
		if c := value[i]; plain(c) {
			out = append(out, c)
		} else {
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(out)
}
