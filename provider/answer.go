package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/authring/authring/secret"
)

// The error codes of RFC 6749 section 5.2 that are refusals, for each grant.
// Codes that are not here say nothing of the code or token.
var (
	exchangeRefusals = map[string]error{
		"invalid_grant":       ErrCodeRejected,
		"invalid_client":      ErrInvalidClient,
		"unauthorized_client": ErrInvalidClient,
		"invalid_scope":       ErrMissingScope,
	}
	refreshRefusals = map[string]error{
		"invalid_grant":       ErrRevoked,
		"invalid_client":      ErrInvalidClient,
		"unauthorized_client": ErrInvalidClient,
		"invalid_scope":       ErrMissingScope,
	}
)

// readToken reads an answer of the token endpoint.
func (c *Client) readToken(answer *Answer, refusals map[string]error, secrets []secret.Secret) (*Token, *Error) {
	if fault := readTrouble(answer, secrets); fault != nil {
		if members, err := readObject(answer); err == nil {
			fault.Code, fault.Description = readRefusal(members, secrets)
		}
		return nil, fault
	}
	members, err := readObject(answer)
	status := answer.Status
	if c.provider.RefusesWithOK && status == http.StatusOK && members.text("error") != "" && members.text("access_token") == "" {
		status = http.StatusBadRequest
	}
	switch {
	case status == http.StatusOK && err == nil:
		return c.readGrant(answer, members, secrets)
	case status < 400:
		return nil, unexpected(err)
	case err != nil:
		return nil, unreadable(answer, err)
	}
	code, description := readRefusal(members, secrets)
	return nil, &Error{
		Kind:        c.refusalKind(status, code, description, refusals),
		Code:        code,
		Description: description,
	}
}

// refusalKind says what a refusal with status 4xx means.
//
// RFC 6749 section 5.2: "The authorization server responds with an HTTP 400
// (Bad Request) status code (unless specified otherwise)", which it is for
// invalid_client: 401.
func (c *Client) refusalKind(status int, code, description string, refusals map[string]error) error {
	kind, known := refusals[code]
	if status != http.StatusBadRequest && status != http.StatusUnauthorized {
		return ErrServerFault
	}
	if kind == ErrRevoked {
		return kind
	}
	for _, r := range c.provider.Refusals {
		if r.Code == code && strings.Contains(description, r.Contains) {
			return r.Kind
		}
	}
	if known {
		return kind
	}
	return ErrServerFault
}

// beginningKind is refusalKind for requests that begin a link, on which nothing
// hangs yet: there what the server says with 4xx and a code is a refusal also if
// no specification knows the code. It will be said again.
func (c *Client) beginningKind(status int, code, description string, refusals map[string]error) error {
	kind := c.refusalKind(status, code, description, refusals)
	if kind == ErrServerFault && code != "" && status < http.StatusInternalServerError && !waits(code) {
		return ErrRequestRefused
	}
	return kind
}

// waits reports whether a code of RFC 6749 section 4.1.2.1 asks to try again.
func waits(code string) bool { return code == "server_error" || code == "temporarily_unavailable" }

// readGrant reads the members of RFC 6749 section 5.1.
func (c *Client) readGrant(answer *Answer, members object, secrets []secret.Secret) (*Token, *Error) {
	token := &Token{
		AccessToken:  secret.New(members.text("access_token")),
		RefreshToken: secret.New(members.text("refresh_token")),
		TokenType:    members.text("token_type"),
		ExpiresIn:    readLifetime(members["expires_in"]),
		Scope:        c.provider.readScope(members["scope"]),

		RefreshExpiresIn: readRefreshLifetime(members),

		IDToken: secret.New(members.text("id_token")),
	}
	if token.AccessToken.IsZero() {
		fault := unexpected(errors.New("it holds no access token"))
		fault.Code, fault.Description = readRefusal(members, secrets)
		return nil, fault
	}
	// RFC 6749 appendix A.12 and A.17: tokens are 1*VSCHAR. One that is not
	// could end a header line.
	if !isVisible(token.AccessToken.Reveal(), maxBody) ||
		!token.RefreshToken.IsZero() && !isVisible(token.RefreshToken.Reveal(), maxBody) {
		return nil, &Error{Kind: ErrTokenUnusable, Err: errors.New("it has characters that no token has")}
	}
	// RFC 6749 section 7.1: "The client MUST NOT use an access token if it
	// does not understand the token type." Section 5.1: "Value is case
	// insensitive."
	if !strings.EqualFold(token.TokenType, "bearer") && (c.dpop == nil || !token.Bound()) {
		return nil, &Error{Kind: ErrTokenUnusable, Err: errors.New("it is not of a type that was asked for")}
	}
	token.AccountID = members.id(c.provider.AccountIDField)
	token.TeamID = members.id(c.provider.TeamIDField)
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		token.Date = date
	}
	return token, nil
}

// readLifetime reads expires_in, which some servers write as a string. RFC 6749
// section 5.1 lets it be absent; only then is it 0. A lifetime that makes no
// sense becomes the shortest, never none at all.
func readLifetime(raw json.RawMessage) time.Duration {
	if raw == nil || string(raw) == "null" {
		return 0
	}
	text := string(raw)
	var quoted string
	if json.Unmarshal(raw, &quoted) == nil {
		text = strings.TrimSpace(quoted)
	}
	if !isDecimal(text) {
		return time.Second
	}
	seconds, _ := strconv.ParseFloat(text, 64) // out of range: infinite
	return max(time.Second, asDuration(seconds))
}

// readRefreshLifetime reads how long the refresh token lives. What makes no
// sense says nothing.
func readRefreshLifetime(members object) time.Duration {
	for _, name := range []string{"refresh_token_expires_in", "refresh_expires_in"} {
		if life := readLifetime(members[name]); life > time.Second {
			return life
		}
	}
	return 0
}

// readTrouble recognises answers that are the same trouble whoever asked:
// decided by the status, then by whether the body is whole.
func readTrouble(answer *Answer, secrets []secret.Secret) *Error {
	switch status := answer.Status; {
	case status == http.StatusNetworkAuthenticationRequired: // RFC 6585 section 6
		return unexpected(errors.New("this network wants a login first: open any page in a browser"))
	case status == http.StatusTooManyRequests:
		return &Error{Kind: ErrRateLimited, RetryAfter: retryAfter(answer.Header)}
	case status >= 500:
		return &Error{Kind: ErrServerFault, RetryAfter: retryAfter(answer.Header)}
	case status >= 300 && status < 400:
		if host := redirectTarget(answer, secrets); host != "" {
			return unexpected(fmt.Errorf("it is a redirect to %s, which is not followed", host))
		}
		return unexpected(errors.New("it is a redirect, which is not followed"))
	}
	return answer.broken
}

// unreadable is the fault of an answer 4xx that is not a JSON object. A page is
// not the server's; an empty or plain text may be.
func unreadable(answer *Answer, err error) *Error {
	if media := mediaType(answer.Header); len(answer.Body) == 0 || media == "text/plain" {
		return &Error{Kind: ErrServerFault}
	}
	return unexpected(err)
}

func unexpected(err error) *Error {
	return &Error{Kind: ErrUnexpectedAnswer, Err: err}
}

// object is a JSON object, member by member, so that one of an unforeseen type
// does not spoil the others.
type object map[string]json.RawMessage

// text is a member that is a string, or "".
func (o object) text(name string) string {
	var value string
	if json.Unmarshal(o[name], &value) != nil {
		return ""
	}
	return value
}

// id is a member that becomes part of names and files, or "".
func (o object) id(name string) string {
	if value := o.text(name); name != "" && isVisible(value, 255) {
		return value
	}
	return ""
}

// readObject reads a body that is a JSON object.
//
// RFC 6749 section 5.1: "The parameters are included in the entity-body of the
// HTTP response using the "application/json" media type".
func readObject(answer *Answer) (object, error) {
	if err := checkJSON(answer.Header); err != nil {
		return nil, err
	}
	var members object
	if err := json.Unmarshal(answer.Body, &members); err != nil || members == nil {
		// Not err itself, which quotes what it met.
		return nil, errors.New("it is not a whole JSON object")
	}
	return members, nil
}

// checkJSON accepts the media types under which JSON has been served, and a
// missing one; whether it is JSON shows as it is read.
func checkJSON(header http.Header) error {
	media := mediaType(header)
	switch media {
	case "", "application/json", "text/json", "text/javascript", "application/javascript":
		return nil
	case "text/html":
		return errors.New("it is a web page; this network may want a login first")
	}
	if strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json") {
		return nil
	}
	return errors.New("it is not JSON")
}

// mediaType is the lower-case media type, "" if there is none, or "unknown".
func mediaType(header http.Header) string {
	value := header.Get("Content-Type")
	if value == "" {
		return ""
	}
	media, _, err := mime.ParseMediaType(value)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return "unknown"
	}
	return media
}

// readRefusal reads error and error_description. Some servers put both into
// error, as in "invalid_client: Invalid client_id", or a sentence alone.
func readRefusal(members object, secrets []secret.Secret) (code, description string) {
	code, description = members.text("error"), members.text("error_description")
	if before, after, found := strings.Cut(code, ":"); found {
		code = before
		if description == "" {
			description = after
		}
	}
	// What the answer itself gives away is no more to be quoted than what
	// was sent.
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		secrets = append(secrets[:len(secrets):len(secrets)], secret.New(members.text(name)))
	}
	word := cleanWord(code, secrets)
	if word == "" && description == "" {
		description = code
	}
	return word, clean(description, secrets)
}
