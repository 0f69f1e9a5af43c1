package provider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/authring/authring/secret"
)

// Bounds of the lifetime of a pushed authorization request, where the server
// names one that makes no sense. RFC 9126 section 2.2: it "will typically be
// relatively short (e.g., between 5 and 600 seconds)".
const (
	defaultPushedLife = time.Minute
	maxPushedLife     = time.Hour

	maxRequestURI = 2 << 10
)

// PushedRequest is an authorization request that the server has.
type PushedRequest struct {
	// URL is the page to open in the user's browser. It holds the client
	// identifier and a reference to the request, and nothing else of it.
	URL string

	// Expires is when the server forgets a request whose page was not opened.
	Expires time.Time
}

// PushAuthRequest sends an authorization request to the server itself (RFC 9126
// section 2.1), with the client's authentication, so that neither the browser
// nor who looks at its address can read or change it. Where the provider has no
// PARURL the error is errors.ErrUnsupported.
//
// What the server refuses is refused here, with the errors of
// [AuthorizationRefused] and [ErrInvalidClient]. The request is not then sent
// through the browser instead: the server would refuse it there, and whoever
// can cut the connection must not choose how it is sent.
func (c *Client) PushAuthRequest(ctx context.Context, req AuthRequest) (PushedRequest, error) {
	const op = "send the authorization request"
	if c.provider.PARURL == "" {
		return PushedRequest{}, c.api(op, secret.Secret{}).unsupported()
	}
	var pushed PushedRequest
	// One that nobody hears of is forgotten by the server: it may be sent again.
	again := func(fault *Error, _ time.Duration) bool { return transient(fault) }
	err := c.retry(ctx, again, func(bound time.Duration) *Error {
		params := c.authParams(req)
		params.Del("request_uri") // "MUST NOT be provided", section 2.1
		m, fault := c.form(ctx, op, c.provider.PARURL, params)
		if fault != nil {
			return fault
		}
		m.prove = true // RFC 9449 section 10.1
		sent := time.Now()
		answer, fault := c.send(ctx, m, bound)
		if fault != nil {
			return fault
		}
		if pushed, fault = c.readPushed(answer, sent, m.secrets); fault != nil {
			fault.Op, fault.Status, fault.Sent = op, answer.Status, true
			fault.RequestID = c.requestID(answer, m.secrets)
			return fault
		}
		return nil
	})
	if err != nil {
		return PushedRequest{}, err
	}
	return pushed, nil
}

// readPushed reads the members of RFC 9126 section 2.2, or an error as of
// section 2.3. Some servers answer with 200 in place of 201.
func (c *Client) readPushed(answer *Answer, sent time.Time, secrets []secret.Secret) (PushedRequest, *Error) {
	if fault := readTrouble(answer, secrets); fault != nil {
		return PushedRequest{}, fault
	}
	members, err := readObject(answer)
	if answer.Status != http.StatusCreated && answer.Status != http.StatusOK {
		if answer.Status < 400 {
			return PushedRequest{}, unexpected(err)
		}
		if err != nil {
			return PushedRequest{}, unreadable(answer, err)
		}
		code, description := readRefusal(members, secrets)
		kind, known := authorizationRefusals[code]
		if !known {
			kind = c.beginningKind(answer.Status, code, description, exchangeRefusals)
		}
		return PushedRequest{}, &Error{Kind: kind, Code: code, Description: description}
	}
	if err != nil {
		return PushedRequest{}, unexpected(err)
	}
	reference := members.text("request_uri")
	if !isVisible(reference, maxRequestURI) {
		return PushedRequest{}, unexpected(errors.New("it holds no reference to the request"))
	}
	return PushedRequest{
		// Section 4: "The client uses the request_uri value returned by the
		// authorization server to build an authorization request".
		URL:     c.authPage(url.Values{"client_id": {c.appKey}, "request_uri": {reference}}),
		Expires: sent.Add(within(members["expires_in"], time.Second, defaultPushedLife, maxPushedLife)),
	}, nil
}
