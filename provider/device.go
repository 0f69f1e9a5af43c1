package provider

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/authring/authring/secret"
)

// ErrDeviceExpired: nobody approved access before the device code expired. A
// new link must be begun. It is an [ErrInvalidToken].
var ErrDeviceExpired = refine(ErrInvalidToken, "access was not approved in time")

// Bounds of the numbers that a server gives for a device code. Its own are
// between them on every server that means well.
const (
	// defaultInterval is RFC 8628 section 3.2's: "If no value is provided,
	// clients MUST use 5 as the default."
	defaultInterval = 5 * time.Second
	minInterval     = time.Second
	maxInterval     = 5 * time.Minute

	// A lifetime that the server should have given, and did not, is taken to
	// be the longest that a user can be expected to need.
	defaultDeviceLife = 10 * time.Minute
	maxDeviceLife     = time.Hour

	maxUserCode = 64 // characters: somebody has to type it
	maxPageURL  = 2 << 10
)

// DeviceAuthorization is a device authorization response (RFC 8628 section
// 3.2): the user opens VerificationURI on any device and types UserCode there.
// Its texts are fit to be shown.
type DeviceAuthorization struct {
	DeviceCode      secret.Secret // for [Client.AwaitDevice]
	UserCode        string
	VerificationURI string

	// VerificationURIComplete is a page that needs no code typed, for a QR
	// code or a browser (section 3.3.1). It may be empty.
	VerificationURIComplete string

	// Expires is when the codes are no longer good. Interval is how long the
	// server wants its client to wait between two questions.
	Expires  time.Time
	Interval time.Duration

	// Trouble is called by [Client.AwaitDevice] after each question that got no
	// usable answer, with the [*Error] and how long it is until the next one.
	// It is for the caller to set, and may be nil.
	Trouble func(fault error, next time.Duration)
}

// AuthorizeDevice asks for a device code and a user code (RFC 8628 section
// 3.1). Without a scope the provider's DefaultScope is asked for. Where the
// provider has no DeviceURL the error is errors.ErrUnsupported.
func (c *Client) AuthorizeDevice(ctx context.Context, scope []string) (*DeviceAuthorization, error) {
	const op = "get a device code"
	if c.provider.DeviceURL == "" {
		return nil, c.api(op, secret.Secret{}).unsupported()
	}
	form := url.Values{}
	if scope = c.provider.askedScope(scope); len(scope) > 0 {
		form.Set("scope", c.provider.joinScope(scope))
	}
	var authorization *DeviceAuthorization
	// A device code that nobody hears of expires by itself: it may be asked
	// for again.
	again := func(fault *Error, _ time.Duration) bool { return transient(fault) }
	err := c.retry(ctx, again, func(bound time.Duration) *Error {
		m, fault := c.form(ctx, op, c.provider.DeviceURL, form)
		if fault != nil {
			return fault
		}
		answer, fault := c.send(ctx, m, bound)
		if fault != nil {
			return fault
		}
		if authorization, fault = c.readDevice(answer, m.secrets); fault != nil {
			fault.Op, fault.Status, fault.Sent = op, answer.Status, true
			fault.RequestID = c.requestID(answer, m.secrets)
			return fault
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return authorization, nil
}

// readDevice reads the members of RFC 8628 section 3.2, or an error of RFC 6749
// section 5.2.
func (c *Client) readDevice(answer *Answer, secrets []secret.Secret) (*DeviceAuthorization, *Error) {
	if fault := readTrouble(answer, secrets); fault != nil {
		return nil, fault
	}
	members, err := readObject(answer)
	status := answer.Status
	if status == http.StatusOK && err == nil && members.text("error") != "" && members.text("device_code") == "" {
		// Some servers call even a refusal a success.
		status = http.StatusBadRequest
	}
	if status != http.StatusOK {
		if status < 400 {
			return nil, unexpected(err)
		}
		if err != nil {
			return nil, unreadable(answer, err)
		}
		code, description := readRefusal(members, secrets)
		return nil, &Error{Kind: c.beginningKind(status, code, description, exchangeRefusals), Code: code, Description: description}
	}
	if err != nil {
		return nil, unexpected(err)
	}
	a := &DeviceAuthorization{
		DeviceCode:      secret.New(members.text("device_code")),
		UserCode:        members.text("user_code"),
		VerificationURI: pageURL(members.text("verification_uri")),
		Interval:        within(members["interval"], minInterval, defaultInterval, maxInterval),
		Expires:         time.Now().Add(within(members["expires_in"], time.Second, defaultDeviceLife, maxDeviceLife)),
	}
	if a.VerificationURI == "" {
		// The name that it had in drafts, which servers still give.
		a.VerificationURI = pageURL(members.text("verification_url"))
	}
	a.VerificationURIComplete = pageURL(members.text("verification_uri_complete"))
	switch {
	case !isVisible(a.DeviceCode.Reveal(), maxCode):
		return nil, unexpected(errors.New("it holds no device code"))
	case len(a.UserCode) > maxUserCode, a.UserCode == "", clean(a.UserCode, nil) != a.UserCode:
		return nil, unexpected(errors.New("it holds no code that a user could type"))
	case a.VerificationURI == "":
		return nil, unexpected(errors.New("it names no page on which the code could be typed"))
	}
	return a, nil
}

// pageURL is an address that a user may be sent to, or "".
func pageURL(raw string) string {
	if !isVisible(raw, maxPageURL) {
		return ""
	}
	if _, err := parseEndpoint(raw); err != nil {
		return ""
	}
	return raw
}

// within reads a number of seconds and holds it between two bounds. One that is
// missing, or none, is the standard.
func within(raw json.RawMessage, least, standard, most time.Duration) time.Duration {
	text := string(raw)
	var quoted string
	if json.Unmarshal(raw, &quoted) == nil && quoted != "" {
		text = quoted
	}
	if !isDecimal(text) {
		return standard
	}
	seconds, _ := strconv.ParseFloat(text, 64) // out of range: infinite
	return min(max(least, asDuration(seconds)), most)
}

// deviceRefusals are the codes of RFC 8628 section 3.5 that end the wait, with
// those of RFC 6749 section 5.2.
var deviceRefusals = map[string]error{
	"access_denied":       ErrAccessDenied,
	"expired_token":       ErrDeviceExpired,
	"invalid_grant":       ErrCodeRejected,
	"invalid_client":      ErrInvalidClient,
	"unauthorized_client": ErrInvalidClient,
	"invalid_scope":       ErrMissingScope,
	"invalid_request":     ErrRequestRefused,
}

// maxFaults is how many answers in a row of which none is of use end the wait
// for a device code. With the waits between them they take two to three minutes
// where the server asks for five seconds.
const maxFaults = 5

// AwaitDevice asks the token endpoint (RFC 8628 section 3.4), as often as the
// server allows, until the user has decided. It ends with the token; with
// [ErrAccessDenied]; with [ErrDeviceExpired] when the codes have expired; with
// another refusal; or with ctx. Where the server cannot be reached, or asks for
// patience, that is lived through, with longer waits, until the codes expire.
// The fifth answer in a row that is of no use ends the wait, with
// [ErrServerFault] or [ErrUnexpectedAnswer].
func (c *Client) AwaitDevice(ctx context.Context, a *DeviceAuthorization) (*Token, error) {
	const op = "get a token for the device code"
	interval := min(max(minInterval, a.Interval), maxInterval)
	expires := min(time.Until(a.Expires), maxDeviceLife)
	until := time.Now().Add(expires)
	var last *Error // why the last question got no usable answer, if it did not
	faults := 0     // answers of no use, in a row
	for pause := interval; ; {
		left := time.Until(until)
		if left <= 0 {
			return nil, deviceExpired(op, last)
		}
		// At the latest as the codes expire, but never before the interval.
		if err := wait(ctx, min(pause, max(left, interval))); err != nil {
			return nil, &Error{Op: op, Kind: ErrUnreachable, Err: err}
		}
		token, fault := c.askToken(ctx, op, url.Values{
			"grant_type":  {"urn:ietf:params:oauth:grant-type:device_code"},
			"device_code": {a.DeviceCode.Reveal()},
		}, deviceRefusals, []secret.Secret{a.DeviceCode}, c.bounds.Total)
		switch {
		case fault == nil:
			return token, nil
		case callerEnded(ctx) != nil:
			return nil, fault
		case deviceRefusals[fault.Code] != nil && fault.Status == http.StatusOK:
			// Some servers call even a refusal a success.
			fault.Kind = deviceRefusals[fault.Code]
			return nil, fault
		case fault.Code == "authorization_pending":
			pause, last, faults = interval, nil, 0
		case fault.Code == "slow_down":
			// "the interval MUST be increased by 5 seconds for this and all
			// subsequent requests."
			interval = min(interval+5*time.Second, maxInterval)
			pause, last, faults = interval, nil, 0
		case transient(fault) && (fault.Code == "" || fault.Status == http.StatusTooManyRequests || fault.Status >= 500):
			// "On encountering a connection timeout, clients MUST unilaterally
			// reduce their polling frequency before retrying. The use of an
			// exponential backoff algorithm to achieve this, such as doubling
			// the polling interval on each such connection timeout, is
			// RECOMMENDED."
			last = fault
			switch {
			case errors.Is(fault, ErrUnreachable):
				faults = 0
			case !errors.Is(fault, ErrRateLimited):
				faults++
			}
			if faults >= maxFaults {
				return nil, fault
			}
			pause = min(2*pause, maxInterval) + rand.N(time.Second)
			pause = max(pause, min(fault.RetryAfter, maxDeviceLife))
			if a.Trouble != nil {
				a.Trouble(fault, min(pause, max(time.Until(until), interval)))
			}
		case fault.Kind == ErrServerFault && fault.Code != "" && !waits(fault.Code):
			fault.Kind = ErrRequestRefused // see beginningKind
			return nil, fault
		default:
			return nil, fault
		}
		c.log.DebugContext(ctx, "waiting for the user", "op", op, "wait", pause)
	}
}

// deviceExpired is how a wait ends in which nothing was decided. If the server
// could not be asked at the last, that is told too.
func deviceExpired(op string, last *Error) *Error {
	fault := &Error{Op: op, Kind: ErrDeviceExpired}
	if last != nil {
		fault.Err = errors.New(last.Error())
	}
	return fault
}

// wait returns after d, or with the error of a context that ended before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(max(0, d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
