// Package gitcredential reads and writes what git and its credential helpers
// tell each other: lines of key=value, as gitcredentials(7) and
// git-credential(1) describe them.
package gitcredential

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// Request is what git asks for. Fields that it did not send are empty.
type Request struct {
	Protocol string
	Host     string // with its port, if that is in the address
	Username string
}

// The bounds of a request. Git's own lines are far shorter, but for what a
// server wrote into its answer, which git passes on.
const (
	maxRequest = 256 << 10
	maxLine    = 64 << 10
)

// ErrMalformed: what was read is not what git sends.
var ErrMalformed = errors.New("this is not what git sends to a credential helper")

// Read reads a request, up to an empty line or the end. Keys that it does not
// know are passed over; of those that come twice the last counts.
func Read(r io.Reader) (Request, error) {
	var request Request
	limited := &io.LimitedReader{R: r, N: maxRequest + 1}
	lines := bufio.NewScanner(limited)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line := lines.Bytes()
		if len(line) == 0 {
			return request, nil
		}
		key, value, ok := bytes.Cut(line, []byte("="))
		if !ok || len(key) == 0 || bytes.IndexByte(line, 0) >= 0 || bytes.IndexByte(line, '\r') >= 0 {
			return Request{}, ErrMalformed
		}
		switch string(key) {
		case "protocol":
			request.Protocol = string(value)
		case "host":
			request.Host = string(value)
		case "username":
			request.Username = string(value)
		}
	}
	switch {
	case limited.N <= 0, errors.Is(lines.Err(), bufio.ErrTooLong):
		return Request{}, fmt.Errorf("%w: it is too long", ErrMalformed)
	case lines.Err() != nil:
		return Request{}, fmt.Errorf("could not read what git asks for: %w", lines.Err())
	}
	return request, nil
}

// Address is the address that the credentials are for, or nil if it is not
// whole. It has no path: git leaves it out, and a token is for all of a host.
func (r Request) Address() *url.URL {
	if r.Protocol == "" || r.Host == "" || strings.ContainsAny(r.Host, "/?#@\\ \t") {
		return nil
	}
	return &url.URL{Scheme: r.Protocol, Host: r.Host}
}

// defaultUsername is sent with a token where git has no name: servers that take
// tokens as passwords take any, and this one is used the most.
const defaultUsername = "oauth2"

// Write answers with a token in the place of a password. The time, if it is not
// zero, is when it ends, so that no cache of git keeps it for longer.
func Write(w io.Writer, r Request, token string, ends time.Time) error {
	username := r.Username
	if username == "" {
		username = defaultUsername
	}
	if strings.ContainsAny(username+token, "\n\r\x00") {
		return errors.New("the user name or the token cannot be written in a line")
	}
	text := "username=" + username + "\npassword=" + token + "\n"
	if !ends.IsZero() {
		text += fmt.Sprintf("password_expiry_utc=%d\n", ends.Unix())
	}
	_, err := io.WriteString(w, text)
	return err
}
