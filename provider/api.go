package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/authring/authring/secret"
)

// API is what the functions of a [Provider] call its interface with: the
// client's transport, bounds and retries. It is for one call.
type API struct {
	client *Client
	op     string
	token  secret.Secret
}

func (c *Client) api(op string, token secret.Secret) *API {
	return &API{client: c, op: op, token: token}
}

// AppKey returns the app key of the client.
func (a *API) AppKey() string { return a.client.appKey }

// Fault is what an answer of a provider's interface means.
type Fault struct {
	// Kind is one of the errors of this package, other than [ErrRevoked].
	// Nil leaves it to the status.
	Kind error

	// Code and Description are the server's words; they need not be clean.
	Code, Description string

	RetryAfter time.Duration // where it is not in a header
}

// Do sends a request and reads its answer.
//
// A bearer token that is not empty goes in the header Authorization (RFC 6750
// section 2.1). The body is in: nothing if that is nil, a form if it is a
// url.Values, otherwise its JSON. A success (2xx) is read as JSON into out; if
// out is nil the body may be empty, and must be JSON if it is not.
//
// Faults of the server and the network are met with further tries, so the
// request must be one that does no harm when it is made twice. Errors are
// [*Error].
func (a *API) Do(ctx context.Context, method, address string, bearer secret.Secret, in, out any) error {
	m := message{
		op:     a.op,
		method: method,
		url:    address,
		bearer: bearer,
		// The token may be in the body as well as in the header.
		secrets: []secret.Secret{a.token, bearer},
	}
	switch body := in.(type) {
	case nil:
	case url.Values:
		m.contentType, m.body = "application/x-www-form-urlencoded", []byte(body.Encode())
	default:
		data, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("could not %s: could not write the request as JSON: %w", a.op, err)
		}
		m.contentType, m.body = "application/json", data
	}
	again := func(fault *Error, _ time.Duration) bool { return transient(fault) }
	return a.client.retry(ctx, again, func(bound time.Duration) *Error {
		answer, fault := a.client.send(ctx, m, bound)
		if fault != nil {
			return fault
		}
		if fault := a.read(answer, out, m.secrets); fault != nil {
			fault.Op, fault.Status, fault.Sent = a.op, answer.Status, true
			fault.RequestID = a.client.requestID(answer, m.secrets)
			return fault
		}
		return nil
	})
}

// read reads an answer into out.
func (a *API) read(answer *Answer, out any, secrets []secret.Secret) *Error {
	fault := readTrouble(answer, secrets)
	if fault == nil && answer.Status >= 200 && answer.Status < 300 {
		return readResult(answer, out)
	}
	told := a.client.provider.Fault(answer)
	if fault == nil {
		fault = &Error{Kind: told.Kind}
	}
	fault.Code, fault.Description = cleanWord(told.Code, secrets), clean(told.Description, secrets)
	if fault.RetryAfter == 0 {
		fault.RetryAfter = min(max(0, told.RetryAfter), longest)
	}
	return fault
}

func readResult(answer *Answer, out any) *Error {
	if out == nil && len(answer.Body) == 0 {
		return nil
	}
	if err := checkJSON(answer.Header); err != nil {
		return unexpected(err)
	}
	if out == nil {
		out = new(json.RawMessage)
	}
	if json.Unmarshal(answer.Body, out) != nil {
		return unexpected(errors.New("it is not the JSON that was expected"))
	}
	return nil
}

// Fault tells what an answer of the provider's interface that is not a success
// means. Its kind is never nil. Its words are the server's, and not clean.
func (p *Provider) Fault(answer *Answer) Fault {
	var fault Fault
	if answer.Status >= 400 && p.APIFault != nil {
		fault = p.APIFault(answer)
	}
	switch trouble := readTrouble(answer, nil); {
	case trouble != nil:
		fault.Kind = trouble.Kind
	case fault.Kind == nil:
		fault.Kind = kindOf(answer)
	case errors.Is(fault.Kind, ErrRevoked):
		fault.Kind = ErrInvalidAccessToken
	}
	return fault
}

// kindOf tells what an answer means by its status and RFC 6750 section 3.1:
// "invalid_token: ... The resource SHOULD respond with the HTTP 401
// (Unauthorized) status code", "insufficient_scope: ... The resource server
// SHOULD respond with the HTTP 403 (Forbidden) status code".
func kindOf(answer *Answer) error {
	switch {
	case answer.Status < 400, mediaType(answer.Header) == "text/html":
		return ErrUnexpectedAnswer
	case strings.Contains(answer.Header.Get("WWW-Authenticate"), "insufficient_scope"):
		return ErrMissingScope
	case answer.Status == http.StatusUnauthorized:
		return ErrInvalidAccessToken
	case answer.Status == http.StatusForbidden:
		return ErrMissingScope
	}
	return ErrServerFault
}

// wrap makes an error of a provider's function one of this package. What is
// not one already is taken for an answer that the function could not use.
func (a *API) wrap(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return &Error{
		Op: a.op, Kind: ErrUnexpectedAnswer, Sent: true,
		Err: errors.New(clean(err.Error(), []secret.Secret{a.token})),
	}
}

func (a *API) unsupported() error {
	return fmt.Errorf("could not %s: %s has no way to do it: %w", a.op, a.client.provider.Name, errors.ErrUnsupported)
}
