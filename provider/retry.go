package provider

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Retry is how patient a client is with a request that may be sent again. A
// zero field keeps its default.
type Retry struct {
	Tries  int           // in all, the first included: 4
	Base   time.Duration // the longest wait after the first try, doubled each time: 500 ms
	Max    time.Duration // the longest wait that the client chooses: 8 s
	Budget time.Duration // all tries and waits together: 60 s

	// MaxRetryAfter is the longest wait that a server can ask for and get:
	// 20 s. If it asks for more, the call ends at once, and its error says
	// how long to wait.
	MaxRetryAfter time.Duration
}

func (r Retry) withDefaults() Retry {
	if r.Tries <= 0 {
		r.Tries = 4
	}
	for _, field := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&r.Base, 500 * time.Millisecond},
		{&r.Max, 8 * time.Second},
		{&r.Budget, time.Minute},
		{&r.MaxRetryAfter, 20 * time.Second},
	} {
		if *field.value <= 0 {
			*field.value = field.standard
		}
	}
	return r
}

// wait chooses how long to wait after try number n, from 1 on. Full jitter:
// clients that failed together must not come back together.
func (r Retry) wait(n int, asked time.Duration) time.Duration {
	limit := r.Max
	if shift := n - 1; shift < 32 && r.Base <= r.Max>>shift {
		limit = r.Base << shift
	}
	return asked + rand.N(limit+1)
}

// retry tries until it works, until the error is one that stays, or until the
// client's patience or the caller's context would end. The try is told how
// long it may take; again says whether a fault, this long after the first try,
// allows another one.
func (c *Client) retry(ctx context.Context, again func(*Error, time.Duration) bool, try func(bound time.Duration) *Error) error {
	began := time.Now()
	var doubt *Error // the last fault after which the server may have acted
	for n := 1; ; n++ {
		bound := min(c.bounds.Total, max(time.Second, c.patience.Budget-time.Since(began)))
		fault := try(bound)
		if fault == nil {
			return nil
		}
		// 429 is the server's word that it did not act on that try; it says
		// nothing of the tries before.
		limited := fault.Status == http.StatusTooManyRequests
		if fault.Sent && !limited {
			doubt = fault
		}
		if doubt != nil {
			fault.Sent = true
		}
		if limited && doubt != nil && c.provider.Replay != ReplayReusable {
			doubt.RetryAfter = fault.RetryAfter
			fault = doubt
		}
		wait := c.patience.wait(n, fault.RetryAfter)
		after := time.Since(began) + wait
		if n >= c.patience.Tries || after >= c.patience.Budget || fault.RetryAfter > c.patience.MaxRetryAfter ||
			callerEnded(ctx) != nil || !again(fault, after) {
			return fault
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
			// Better told now than after the time is gone.
			return fault
		}
		c.log.DebugContext(ctx, "waiting to try again", "op", fault.Op, "try", n, "wait", wait)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			fault.Err = errors.Join(fault.Err, ctx.Err())
			return fault
		}
	}
}

// transient reports whether a request that failed so may do better later. What
// a specification calls a fault of the request itself will not.
func transient(fault *Error) bool {
	switch fault.Code {
	case "invalid_request", "unsupported_grant_type":
		return fault.Status == http.StatusTooManyRequests || fault.Status >= http.StatusInternalServerError
	}
	return errors.Is(fault, ErrConnectionFailed)
}

// retryAfter reads how long a server asks to wait, in both forms of RFC 9110
// section 10.2.3, "HTTP-date / delay-seconds"; a fraction of a second has been
// seen as well. A date is compared with the answer's own date where it has
// one: the two clocks need not agree.
func retryAfter(header http.Header) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if isDecimal(value) {
		seconds, _ := strconv.ParseFloat(value, 64) // out of range: infinite
		return asDuration(seconds)
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(0, until.Sub(now)), longest)
}

// longest is the longest duration that is read from an answer: ten years.
const longest = 10 * 365 * 24 * time.Hour

// asDuration converts, and holds to 0 and longest.
func asDuration(seconds float64) time.Duration {
	switch {
	case seconds <= 0 || seconds != seconds:
		return 0
	case seconds >= longest.Seconds():
		return longest
	}
	return time.Duration(seconds * float64(time.Second))
}

// isDecimal reports whether a text is a number as JSON writes it, so that
// "Inf", "0x10" and "1_000", which strconv reads, are not.
func isDecimal(text string) bool {
	if text == "" {
		return false
	}
	digits := false
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits = true
		case strings.ContainsRune("+-.eE", r):
		default:
			return false
		}
	}
	_, err := strconv.ParseFloat(text, 64)
	return digits && (err == nil || errors.Is(err, strconv.ErrRange))
}
