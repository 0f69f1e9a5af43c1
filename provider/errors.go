package provider

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// The two ways in which a call can fail, told apart with errors.Is. Every
// error of a [Client] method that reached for the network is one of them.
var (
	// ErrInvalidToken: the server, or a look at what was pasted, says no.
	// The same request will be refused again.
	ErrInvalidToken = errors.New("the server refused the code or token")

	// ErrConnectionFailed: no usable answer came. It says nothing of the code
	// or token, which must be kept; worth another try later.
	ErrConnectionFailed = errors.New("could not get an answer from the server")
)

// Refusals. Each is an [ErrInvalidToken].
var (
	// ErrCodeRejected: the authorization code is unknown, used, or expired.
	// A new link must be begun.
	ErrCodeRejected = refine(ErrInvalidToken, "the code is wrong, already used, or expired")

	// ErrVerifierMismatch: the code belongs to an authorize URL other than
	// the one that the code verifier was made for.
	ErrVerifierMismatch = refine(ErrInvalidToken, "the code belongs to another link that was begun")

	// ErrRedirectMismatch: the redirect URI is not the one that was used to
	// get the code.
	ErrRedirectMismatch = refine(ErrInvalidToken, "the redirect URI is not the one that the code was made for")

	// ErrInvalidClient: the server does not know the app key, or the key is
	// of another kind than the one the grant was made with.
	ErrInvalidClient = refine(ErrInvalidToken, "the server does not accept the app key")

	// ErrRequestRefused: the server refuses what is asked for, for a reason
	// of its own that [Error.Code] and [Error.Description] tell. It is told of
	// requests that begin a link, not of those for a grant that there is.
	ErrRequestRefused = refine(ErrInvalidToken, "the server refuses the request")

	// ErrMissingScope: the grant does not hold a scope or permission that
	// the request needs. Scopes of a grant never grow; a new link is needed.
	ErrMissingScope = refine(ErrInvalidToken, "the grant lacks a scope or permission")

	// ErrExpiredToken: the access token is too old. Refresh, and try again.
	ErrExpiredToken = refine(ErrInvalidToken, "the access token has expired")

	// ErrInvalidAccessToken: the provider's interface does not know the access
	// token, or knows that it was withdrawn. Whether the grant still lives
	// only a refresh can tell; servers have answered so by mistake.
	ErrInvalidAccessToken = refine(ErrInvalidToken, "the access token is not valid")

	// ErrSuspended: the account is suspended. The grant may work again once
	// it is not.
	ErrSuspended = refine(ErrInvalidToken, "the account is suspended")

	// ErrRevoked: the server answered invalid_grant to a refresh: the grant
	// was revoked, or the server never knew the refresh token. No other
	// answer is told as this one.
	ErrRevoked = refine(ErrInvalidToken, "the grant was revoked or is not known to the server")

	// ErrNotACode: what was pasted is not an authorization code.
	ErrNotACode = refine(ErrInvalidToken, "this is not an authorization code")

	// ErrAccessDenied: what was pasted is a redirect that says that access
	// was denied. It is an [ErrNotACode].
	ErrAccessDenied = refine(ErrNotACode, "access was denied on the page of the server")
)

// Failures. Each is an [ErrConnectionFailed].
var (
	// ErrRateLimited: the server asks for patience. [Error.RetryAfter] says
	// how much, if the server did.
	ErrRateLimited = refine(ErrConnectionFailed, "the server limits the rate of requests")

	// ErrServerFault: the server has a fault, or answered with a refusal
	// that no specification knows.
	ErrServerFault = refine(ErrConnectionFailed, "the server has a fault")

	// ErrUnexpectedAnswer: something answered that does not speak as the
	// server does: a login page of a network, a redirect, half a document.
	ErrUnexpectedAnswer = refine(ErrConnectionFailed, "the answer is not one that the server gives")

	// ErrTokenUnusable: the server gave a token of a type that was not asked
	// for, or with characters that none has. What it was given for, such as an
	// authorization code, is spent. It is an [ErrUnexpectedAnswer].
	ErrTokenUnusable = refine(ErrUnexpectedAnswer, "the server gave a token that cannot be used")

	// ErrUnreachable: no connection, no TLS, no answer in time, or a
	// connection that broke.
	ErrUnreachable = refine(ErrConnectionFailed, "the server cannot be reached")
)

// refined is an error with its own text that is also its parent.
type refined struct {
	text   string
	parent error
}

func refine(parent error, text string) error { return &refined{text, parent} }

func (r *refined) Error() string { return r.text }
func (r *refined) Unwrap() error { return r.parent }

// Error is how a call to the server failed. Neither its text nor its fields
// hold a code, a token, or a code verifier that was sent or received: what the
// server said is cleaned before it is kept.
//
// When the caller's own context ended, errors.Is finds context.Canceled or
// context.DeadlineExceeded in it; the bounds of this package never show as
// those.
type Error struct {
	Op     string // what was tried, as in "could not <Op>"
	Kind   error  // one of the errors above
	Status int    // of the HTTP answer; 0 if there was none

	// Code is the server's own word: error of RFC 6749 section 5.2, or the
	// tag of an API error. Description is its explanation, printable and of
	// at most 200 characters. Both may be empty.
	Code, Description string

	RequestID  string        // the server's name for the request, for its support
	RetryAfter time.Duration // what the server asked for; 0 if it did not

	// Sent tells that the request, or an earlier try of it, may have reached
	// the server. With an [ErrConnectionFailed] the server may thus have
	// acted on it: a single-use code may be spent though its answer is lost.
	Sent bool

	Err error // what lies below; may be nil

	noDocument bool // the answer is no JSON object; see Discover
}

// Error says what was tried, why it failed, and what the server said to it.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString("could not " + e.Op)
	if e.Kind != nil {
		text.WriteString(": " + e.Kind.Error())
	}
	if said := e.said(); said != "" {
		text.WriteString(" (" + said + ")")
	}
	if e.Err != nil {
		text.WriteString(": " + e.Err.Error())
	}
	return text.String()
}

// said puts the server's words together: "400 invalid_grant: no such code".
func (e *Error) said() string {
	var text string
	if e.Status != 0 {
		text = strconv.Itoa(e.Status)
	}
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Description != "" {
		text += ": " + e.Description
	}
	return strings.TrimLeft(text, " :")
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	errs := make([]error, 0, 2)
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}
