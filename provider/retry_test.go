package provider_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/provider"
)

const goodRefresh = `{"access_token":"new","token_type":"bearer","expires_in":14400}`

// step is one answer of a server, or the error of a connection.
type step struct {
	status     int
	body       string
	html       bool
	retryAfter string
	date       string
	err        error
	unsent     bool // the error comes before the request is sent
}

// play is a transport that goes through steps, the last of them for ever, and
// notes when it was asked, counted from the first time.
type play struct {
	steps []step
	times []time.Duration
	first time.Time
}

func (p *play) RoundTrip(r *http.Request) (*http.Response, error) {
	if len(p.times) == 0 {
		p.first = time.Now()
	}
	s := p.steps[min(len(p.times), len(p.steps)-1)]
	p.times = append(p.times, time.Since(p.first))
	if s.unsent {
		return nil, s.err
	}
	_, _ = io.Copy(io.Discard, r.Body)
	if s.err != nil {
		return nil, s.err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if s.html {
		header.Set("Content-Type", "text/html")
	}
	if s.retryAfter != "" {
		header.Set("Retry-After", s.retryAfter)
	}
	if s.date != "" {
		header.Set("Date", s.date)
	}
	return &http.Response{StatusCode: s.status, Header: header, Body: io.NopCloser(strings.NewReader(s.body))}, nil
}

var (
	good        = step{status: 200, body: goodRefresh}
	serverFault = step{status: 500}
	lost        = step{err: io.ErrUnexpectedEOF}
	refused     = step{err: errors.New("connection refused"), unsent: true}
	limited     = step{status: 429}
)

func refreshWith(ctx context.Context, tb testing.TB, p *play, replay provider.Replay, opts ...provider.ClientOption) (*provider.Token, error) {
	tb.Helper()
	dropbox := provider.Dropbox()
	dropbox.Replay = replay
	c := newClient(tb, dropbox, append(opts, provider.WithHTTPTransport(p))...)
	return c.Refresh(ctx, refresh, nil)
}

func TestRefreshTriesAgain(t *testing.T) {
	for name, trouble := range map[string]step{
		"server fault": serverFault,
		"gateway page": {status: 502, body: "<html>", html: true},
		"v1_retired":   {status: 400, body: `{"error":"v1_retired"}`},
		"rate limit":   limited,
		"portal":       {status: 200, body: "<html>", html: true},
		"truncated":    {status: 200, body: goodRefresh[:20]},
		"redirect":     {status: 302},
		"lost answer":  lost,
		"refused":      refused,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &play{steps: []step{trouble, trouble, trouble, good}}
				token, err := refreshWith(t.Context(), t, p, provider.ReplayReusable)
				if err != nil || token.AccessToken.Reveal() != "new" {
					t.Fatalf("Refresh = %v, %v", token, err)
				}
				if len(p.times) != 4 {
					t.Errorf("tried %d times, want 4", len(p.times))
				}
				// Each wait is at most the limit of its turn, the last at 4 times the base.
				for i, limit := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
					if wait := p.times[i+1] - p.times[i]; wait < 0 || wait > limit {
						t.Errorf("wait %d = %v, want at most %v", i+1, wait, limit)
					}
				}
			})
		})
	}
}

func TestRefreshGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &play{steps: []step{lost, refused}}
		_, err := refreshWith(t.Context(), t, p, provider.ReplayReusable)
		e := fault(t, err, provider.ErrUnreachable)
		if len(p.times) != 4 || !e.Sent {
			t.Errorf("tried %d times, Sent = %v; want 4, and true for the first", len(p.times), e.Sent)
		}
	})
}

func TestRefreshDoesNotRepeatRefusals(t *testing.T) {
	for _, code := range []string{"invalid_grant", "invalid_client", "invalid_scope", "invalid_request", "unsupported_grant_type"} {
		synctest.Test(t, func(t *testing.T) {
			p := &play{steps: []step{{status: 400, body: `{"error":"` + code + `"}`}, good}}
			if _, err := refreshWith(t.Context(), t, p, provider.ReplayReusable); err == nil || len(p.times) != 1 {
				t.Errorf("%s: %v after %d tries, want an error after 1", code, err, len(p.times))
			}
		})
	}
}

func TestWaitsAreRandom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := map[time.Duration]bool{}
		for range 50 {
			p := &play{steps: []step{serverFault, good}}
			if _, err := refreshWith(t.Context(), t, p, provider.ReplayReusable); err != nil {
				t.Fatal(err)
			}
			seen[p.times[1]] = true
		}
		if len(seen) < 40 {
			t.Errorf("50 waits had %d lengths", len(seen))
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for _, test := range []struct {
		value, date string
		wait        time.Duration
	}{
		{"7", "", 7 * time.Second},
		{" 7 ", "", 7 * time.Second},
		{"2.5", "", 2500 * time.Millisecond},
		{"0", "", 0},
		{"-5", "", 0},
		{"soon", "", 0},
		{"0x10", "", 0},
		{"NaN", "", 0},
		// A clock that is ten years ahead of ours still says 9 seconds.
		{"Tue, 15 Nov 2033 12:45:35 GMT", "Tue, 15 Nov 2033 12:45:26 GMT", 9 * time.Second},
		{"Tue, 15 Nov 2022 12:45:26 GMT", "Tue, 15 Nov 2022 12:45:35 GMT", 0},
		// The clock of a bubble begins in 2000.
		{"Sat, 01 Jan 2000 00:00:11 GMT", "", 11 * time.Second},
	} {
		for _, status := range []int{429, 503} {
			synctest.Test(t, func(t *testing.T) {
				p := &play{steps: []step{{status: status, retryAfter: test.value, date: test.date}, good}}
				if _, err := refreshWith(t.Context(), t, p, provider.ReplayReusable); err != nil {
					t.Fatal(err)
				}
				if got := p.times[1]; got < test.wait || got > test.wait+500*time.Millisecond {
					t.Errorf("%d, Retry-After %q: waited %v, want %v and a little", status, test.value, got, test.wait)
				}
			})
		}
	}
}

func TestRetryAfterTooLong(t *testing.T) {
	for _, seconds := range []time.Duration{21, 3600} {
		synctest.Test(t, func(t *testing.T) {
			p := &play{steps: []step{{status: 429, retryAfter: fmt.Sprint(int(seconds))}, good}}
			began := time.Now()
			_, err := refreshWith(t.Context(), t, p, provider.ReplayReusable)
			e := fault(t, err, provider.ErrRateLimited)
			if e.RetryAfter != seconds*time.Second || time.Since(began) != 0 || len(p.times) != 1 {
				t.Errorf("RetryAfter = %v after %v and %d tries", e.RetryAfter, time.Since(began), len(p.times))
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		_, err := refreshWith(ctx, t, &play{steps: []step{{status: 429, retryAfter: "10"}, good}}, provider.ReplayReusable)
		e := fault(t, err, provider.ErrRateLimited)
		if e.RetryAfter != 10*time.Second || time.Since(began) != 0 {
			t.Errorf("RetryAfter = %v after %v, want 10 s at once: the caller has 5 s", e.RetryAfter, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		_, err := refreshWith(t.Context(), t, &play{steps: []step{{status: 429, retryAfter: "1e30"}}}, provider.ReplayReusable)
		if e := fault(t, err, provider.ErrRateLimited); e.RetryAfter != 87600*time.Hour {
			t.Errorf("RetryAfter = %v, want ten years", e.RetryAfter)
		}
	})
}

func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &play{steps: []step{{status: 503, retryAfter: "8"}}}
		began := time.Now()
		_, err := refreshWith(t.Context(), t, p, provider.ReplayReusable,
			provider.WithRetry(provider.Retry{Tries: 1000, Budget: 30 * time.Second}))
		fault(t, err, provider.ErrServerFault)
		if took := time.Since(began); took > 30*time.Second || len(p.times) > 4 {
			t.Errorf("%d tries in %v, want at most 4 in 30 s", len(p.times), took)
		}
	})
}

// TestHangingServer: every try ends by itself, and all of them together.
func TestHangingServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		hang := roundTripper(func(r *http.Request) (*http.Response, error) {
			tries++
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		c := newClient(t, provider.Dropbox(), provider.WithHTTPTransport(hang))
		began := time.Now()
		_, err := c.Refresh(t.Context(), refresh, nil)
		e := fault(t, err, provider.ErrUnreachable)
		if errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no complete answer within") {
			t.Errorf("%v: a bound of the client must be told as such, and not be context.DeadlineExceeded", err)
		}
		if took := time.Since(began); took > 62*time.Second || tries < 2 || !e.Sent {
			t.Errorf("%d tries in %v, Sent %v", tries, took, e.Sent)
		}
		began, tries = time.Now(), 0
		_, err = c.Exchange(t.Context(), code, verifier, "")
		if e := fault(t, err, provider.ErrUnreachable); !e.Sent || tries != 1 || time.Since(began) != 30*time.Second {
			t.Errorf("%d tries in %v, Sent %v", tries, time.Since(began), e.Sent)
		}
	})
}

func TestCallerLeaves(t *testing.T) {
	hang := roundTripper(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	for name, transport := range map[string]http.RoundTripper{
		"during a try":  hang,
		"between tries": &play{steps: []step{{status: 503, retryAfter: "15"}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				began := time.Now()
				c := newClient(t, provider.Dropbox(), provider.WithHTTPTransport(transport))
				_, err := c.Refresh(ctx, refresh, nil)
				fault(t, err, provider.ErrConnectionFailed)
				if !errors.Is(err, context.Canceled) || time.Since(began) != 3*time.Second {
					t.Errorf("%v after %v, want context.Canceled after 3 s", err, time.Since(began))
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err := newClient(t, provider.Dropbox(), provider.WithHTTPTransport(hang)).Refresh(ctx, refresh, nil)
		if fault(t, err, provider.ErrUnreachable); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want context.DeadlineExceeded", err)
		}
	})
}

// TestSingleUseRefreshTokens: where a second use means theft to the server, a
// token whose answer may be lost is not sent again.
func TestSingleUseRefreshTokens(t *testing.T) {
	for _, test := range []struct {
		replay provider.Replay
		steps  []step
		tries  int
	}{
		{provider.ReplaySingleUse, []step{refused, refused, good}, 3},
		{provider.ReplaySingleUse, []step{limited, limited, good}, 3},
		{provider.ReplaySingleUse, []step{lost, good}, 1},
		{provider.ReplaySingleUse, []step{serverFault, good}, 1},
		{provider.ReplaySingleUse, []step{{status: 200, body: "{"}, good}, 1},
		{provider.ReplaySingleUse, []step{refused, lost, good}, 2},
		{provider.ReplayGrace, []step{lost, good}, 2},
		{provider.ReplayGrace, []step{{status: 503, retryAfter: "6"}, {status: 503, retryAfter: "6"}, good}, 2},
		{provider.ReplayGrace, []step{{status: 503, retryAfter: "11"}, good}, 1},
		{provider.ReplayReusable, []step{{status: 503, retryAfter: "11"}, good}, 2},
	} {
		t.Run(fmt.Sprint(test.replay, test.steps), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &play{steps: test.steps}
				_, err := refreshWith(t.Context(), t, p, test.replay)
				if len(p.times) != test.tries || (err == nil) != (test.tries == len(test.steps)) {
					t.Errorf("%d tries and %v, want %d tries", len(p.times), err, test.tries)
				}
			})
		})
	}
}

// TestCodeIsSentOnce: no fault makes a code go out again.
func TestCodeIsSentOnce(t *testing.T) {
	for _, s := range []step{serverFault, limited, lost, refused, {status: 302}, {status: 200, body: "{"}, {status: 400, body: `{"error":"v1_retired"}`}} {
		synctest.Test(t, func(t *testing.T) {
			p := &play{steps: []step{s, good}}
			c := newClient(t, provider.Dropbox(), provider.WithHTTPTransport(p))
			_, err := c.Exchange(t.Context(), code, verifier, "")
			if e := fault(t, err, provider.ErrConnectionFailed); len(p.times) != 1 || e.Sent == s.unsent {
				t.Errorf("%+v: sent %d times, Sent = %v", s, len(p.times), e.Sent)
			}
		})
	}
}
