package authring

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/authring/authring/internal/callback"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// BeginRedirect is [Session.BeginLink] for a program that waits for the answer
// at a redirect URI (RFC 6749 section 3.1.2), so that nobody has to copy a
// code. The URI must be one that the app key is registered with: on this
// machine over http, with or without a port as the server has it (RFC 8252
// section 7.3), at an address of the program's own over https, or of a scheme
// of the program's own, such as com.example.app:/linked (section 7.1). Where
// the provider takes proofs of a key (RFC 9449), the code is bound to one, which
// this session alone has: then no other can finish the link.
//
// [Session.VerifyRedirect] takes the address that the browser is sent to;
// [Session.VerifyAuthToken] still takes what a user pastes.
func (s *Session) BeginRedirect(ctx context.Context, redirectURI string) (PendingLink, error) {
	if err := checkRedirect(redirectURI); err != nil {
		return PendingLink{}, fmt.Errorf("could not begin a link: %w", err)
	}
	return s.beginWritten(ctx, redirectURI, true)
}

func checkRedirect(uri string) error {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "":
		return errors.New("the redirect URI is not an absolute one")
	case u.Fragment != "", strings.Contains(uri, "#"):
		// RFC 6749 section 3.1.2: "The endpoint URI MUST NOT include a
		// fragment component."
		return errors.New("the redirect URI must not hold a fragment")
	case u.Scheme == "http" && callback.CheckURI(uri) != nil:
		return callback.CheckURI(uri)
	case u.Scheme == "https" && u.Host == "":
		return errors.New("the redirect URI names no host")
	case u.Scheme != "http" && u.Scheme != "https" && !strings.Contains(u.Scheme, "."):
		// RFC 8252 section 7.1: "apps MUST use a URI scheme based on a domain
		// name under their control, expressed in reverse order".
		return errors.New("the redirect URI must be https, http on this machine, or of a scheme such as com.example.app")
	}
	return nil
}

// VerifyRedirect takes the answer to the page of [Session.BeginRedirect]: the
// whole address that the browser was sent to. It is checked before anything of
// it is used: its state must be that of the link that was begun (RFC 6749
// section 10.12), its iss, where it has one or the provider always gives it,
// the provider's (RFC 9207). Its code is then redeemed as
// [Session.VerifyAuthToken] does.
//
// An address that is not the answer is a provider.ErrNotACode, and the link
// that was begun stays good: anybody could have sent it. A refusal of the
// server ends that link: provider.ErrAccessDenied where the user gave no
// access; so does an answer of another server, which is an [ErrInvalidToken].
func (s *Session) VerifyRedirect(ctx context.Context, address string) error {
	begun, err := s.pending()
	if err != nil {
		return err
	}
	if begun.state == "" {
		return fmt.Errorf("%w that ends with a redirect", ErrNoPendingLink)
	}
	code, err := callback.Parse(queryOf(address), s.expected(begun.state))
	var refused *callback.Refused
	switch {
	case err == nil:
		return s.redeem(ctx, begun, secret.New(code))
	case errors.As(err, &refused):
		s.spend()
		return provider.AuthorizationRefused(refused.Code, refused.Description)
	case errors.Is(err, callback.ErrIssuer):
		s.spend()
		return fmt.Errorf("%w: %w", ErrInvalidToken, err)
	default:
		return fmt.Errorf("%w: %w", provider.ErrNotACode, err)
	}
}

// verifyPasted is VerifyRedirect for what a user pasted.
func (s *Session) verifyPasted(ctx context.Context, pasted string) error {
	address := provider.CleanPaste(pasted)
	if params, _ := url.ParseQuery(queryOf(address)); params.Has("client_id") && params.Has("response_type") {
		return fmt.Errorf("%w: it is the address of the page; open it in a browser, allow access, and paste the address that it ends at", provider.ErrNotACode)
	}
	return s.VerifyRedirect(ctx, address)
}

// expected is what the answer to a request with a state must have.
func (s *Session) expected(state string) callback.Expected {
	return callback.Expected{State: state, Issuer: s.config.provider.Issuer, IssRequired: s.config.provider.IssParameter}
}

// answerIn finds what only an answer has, in what was pasted for a code.
var answerIn = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`://|(^|[?&#\s"'])(code|state|error|iss)=`)
})

func isAnswer(pasted string) bool { return answerIn().MatchString(pasted) }

// queryOf is the query of an address, or the whole of a text that is a query.
func queryOf(address string) string {
	address = strings.Trim(address, " \t\r\n\"'`<>")
	address, _, _ = strings.Cut(address, "#")
	before, query, found := strings.Cut(address, "?")
	if !found {
		return before
	}
	return query
}
