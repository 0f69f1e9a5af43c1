// Package callback receives the redirect that ends an authorization request, on
// the loopback interface (RFC 8252 section 7.3).
//
// Whoever can send a request to this machine can send one to the receiver: the
// programs of other users, and every web page that the user's browser shows.
// None of them can end the wait, or put a code of theirs in the place of the
// user's: an answer counts only with the state of the request, which nobody
// else knows (RFC 6749 section 10.12).
package callback

import (
	"crypto/subtle"
	"errors"
	"net/url"
	"strings"
)

// Why an answer is none.
var (
	// ErrState: it is not the answer to this request. It may be anybody's, and
	// the wait for the right one goes on.
	ErrState = errors.New("it is not the answer to the page that was opened")

	// ErrMalformed: the state is right, and the rest is no answer of RFC 6749
	// section 4.1.2.
	ErrMalformed = errors.New("the answer is not one that a server gives")

	// ErrIssuer: it comes from another server than the one that was asked
	// (RFC 9207 section 2.4). Its code must not be used.
	ErrIssuer = errors.New("the answer is from another server than the one that was asked")
)

// Refused is an error response (RFC 6749 section 4.1.2.1): the words of the
// server, which need not be fit to be shown.
type Refused struct{ Code, Description string }

// Error repeats nothing that the server said.
func (r *Refused) Error() string { return "the server gave no code" }

// Expected is what the answer to an authorization request must have.
type Expected struct {
	// State is that of the request. Without one nothing is its answer.
	State string

	// Issuer is the server's issuer identifier, if it is known. IssRequired
	// says that the server always adds it.
	Issuer      string
	IssRequired bool
}

// maxQuery bounds an answer, in bytes, and maxCode the code in it.
const (
	maxQuery = 16 << 10
	maxCode  = 4 << 10
)

// Parse reads the query of an authorization response (RFC 6749 section 4.1.2),
// and returns its code. The errors are [ErrState], [ErrMalformed], [ErrIssuer]
// and [*Refused]; they hold nothing of the code.
func Parse(query string, want Expected) (code string, err error) {
	if len(query) > maxQuery {
		return "", ErrState
	}
	// What of a broken query can be read is enough to find the state, before
	// which nothing else is looked at.
	params, broken := url.ParseQuery(query)
	if !sameState(params["state"], want.State) {
		return "", ErrState
	}
	if broken != nil {
		return "", ErrMalformed
	}
	for _, name := range []string{"code", "error", "error_description", "iss"} {
		// RFC 6749 section 3.1: "Request and response parameters MUST NOT be
		// included more than once."
		if len(params[name]) > 1 {
			return "", ErrMalformed
		}
	}
	// RFC 9207 section 2.4: "If the value does not match the expected issuer
	// identifier, clients MUST reject the authorization response", and
	// clients that know that the server supports it "MUST reject authorization
	// responses without the iss parameter". "This comparison MUST use simple
	// string comparison".
	if params.Has("iss") && want.Issuer != "" && params.Get("iss") != want.Issuer || !params.Has("iss") && want.IssRequired {
		return "", ErrIssuer
	}
	code = params.Get("code")
	switch {
	case params.Has("code") == params.Has("error"):
		return "", ErrMalformed
	case params.Has("error"):
		return "", &Refused{Code: params.Get("error"), Description: params.Get("error_description")}
	case code == "", len(code) > maxCode, strings.ContainsFunc(code, func(r rune) bool { return r < ' ' || r > '~' }):
		// RFC 6749 appendix A.11: code = 1*VSCHAR.
		return "", ErrMalformed
	}
	return code, nil
}

// sameState takes the same time whatever is guessed.
func sameState(got []string, want string) bool {
	return want != "" && len(got) == 1 && subtle.ConstantTimeCompare([]byte(got[0]), []byte(want)) == 1
}
