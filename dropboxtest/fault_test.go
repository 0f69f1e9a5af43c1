package dropboxtest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/dropboxtest"
)

// raw sends a token request and returns what came of it, body errors included.
func (b *bench) raw(ctx context.Context, pairs ...string) (*http.Response, []byte, error) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(ctx, "POST", b.URL+"/oauth2/token", strings.NewReader(values(pairs...).Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := b.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	return resp, body, err
}

// TestFaults holds row T11: what a client meets, and whether the code is spent.
func TestFaults(t *testing.T) {
	c := newClock()
	for _, test := range []struct {
		spec   string
		status int // 0 for no answer
		kind   string
		body   string // in the body
		spent  bool
	}{
		{"v1_retired", 400, "application/json", `{"error":"v1_retired"}`, false},
		{"server-error", 500, "application/json", "The server has either erred", false},
		{"server-error-after-commit", 500, "application/json", "The server has either erred", true},
		{"revoked", 400, "application/json", "code doesn't exist or has expired", true},
		{"bad-gateway", 502, "text/html; charset=utf-8", "502 Bad Gateway", false},
		{"unavailable", 503, "", "", false},
		{"rate-limit=15s", 429, "application/json", `"retry_after":15`, false},
		{"rate-limit-date=1m", 429, "text/plain; charset=utf-8", "Too many", false},
		{"invalid-token", 401, "application/json", "invalid_access_token", false},
		{"captive-portal", 200, "text/html; charset=utf-8", "<h1>", false},
		{"redirect", 307, "", "", false},
		{"empty-body", 200, "application/json", "", true},
		{"truncated-json", 200, "application/json", `{"access_token":"sl.`, true},
		{"endless-body", 200, "application/json", `{"access_token":"sl.AAAA`, false},
		{"reset-before-commit", 0, "", "", false},
		{"reset-after-commit", 0, "", "", true},
		{"clock-skew=1h", 200, "application/json", "refresh_token", true},
		{"cut-body", 200, "application/json", `{"access_token":"sl.`, true},
	} {
		t.Run("T11 "+test.spec, func(t *testing.T) {
			b := start(t, dropboxtest.WithClock(c.Now))
			code := b.approve(authorize())
			b.FaultNext(test.spec, 1)
			resp, body, err := b.raw(t.Context(), "grant_type", "authorization_code", "code", code,
				"client_id", dropboxtest.DefaultClientID, "code_verifier", verifier)
			name, _, _ := strings.Cut(test.spec, "=")
			switch {
			case test.status == 0:
				if err == nil || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v, want a reset", err)
				}
			case resp == nil:
				// A reset can overtake the half of the body.
				if name != "cut-body" {
					t.Fatalf("no answer: %v", err)
				}
			default:
				if (err != nil) != (name == "cut-body") {
					t.Errorf("error in the body: %v", err)
				}
				if resp.StatusCode != test.status || resp.Header.Get("Content-Type") != test.kind ||
					err == nil && !strings.Contains(string(body), test.body) {
					t.Errorf("answer %d %q %.100q", resp.StatusCode, resp.Header.Get("Content-Type"), body)
				}
			}
			switch name {
			case "rate-limit":
				if got := resp.Header.Get("Retry-After"); got != "15" {
					t.Errorf("Retry-After = %q", got)
				}
			case "rate-limit-date":
				if got := resp.Header.Get("Retry-After"); got != "Sun, 01 Mar 2026 12:01:00 GMT" {
					t.Errorf("Retry-After = %q", got)
				}
			case "clock-skew":
				if got := resp.Header.Get("Date"); got != "Sun, 01 Mar 2026 13:00:00 GMT" {
					t.Errorf("Date = %q", got)
				}
			case "redirect":
				_, port, _ := strings.Cut(strings.TrimPrefix(b.URL, "http://"), ":")
				if got := resp.Header.Get("Location"); got != "http://localhost:"+port+"/_emulator/redirected" {
					t.Errorf("Location = %q", got)
				}
			case "endless-body":
				if len(body) != 4<<20 {
					t.Errorf("%d bytes, want more than 1 MiB", len(body))
				}
			}
			log := b.Requests()
			if len(log) != 1 || log[0].Fault != name || log[0].Status != test.status || log[0].GrantType != "authorization_code" {
				t.Errorf("log %+v", log)
			}
			if got, want := len(b.Grants()) == 1, test.spent && name != "revoked"; got != want {
				t.Errorf("the grant exists: %v, want %v", got, want)
			}
			if a := b.exchange(code); (a.status != 200) != test.spent {
				t.Errorf("the code afterwards: %d, spent should be %v", a.status, test.spent)
			}
		})
	}
	t.Run("T11 hang", func(t *testing.T) {
		b := start(t, dropboxtest.WithFault("hang"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := b.raw(ctx, "grant_type", "refresh_token"); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("T11 all names", func(t *testing.T) {
		for _, name := range dropboxtest.FaultNames() {
			if dropboxtest.FaultAbout(name) == "" {
				t.Errorf("%s is not explained", name)
			}
		}
		if dropboxtest.FaultAbout("none") != "" {
			t.Error("what is no fault is explained")
		}
	})
}

// TestRevokedInTheMiddle meets the fault by each kind of request, and then uses
// all that there was.
func TestRevokedInTheMiddle(t *testing.T) {
	const kept, gone = true, false
	for _, test := range []struct {
		name, spec string
		meet       func(b *bench, refresh, used, access string) int
		status     int
		stands     bool
	}{
		{"refresh", "refresh:revoked*1", func(b *bench, refresh, _, _ string) int { return b.renew(refresh).status }, 400, gone},
		{"used token", "revoked*1", func(b *bench, _, used, _ string) int { return b.renew(used).status }, 400, gone},
		{"api", "api:revoked*1", func(b *bench, _, _, access string) int { return b.api(access, account, "null").status }, 401, gone},
		{"revoke", "auth/token/revoke:revoked*1", func(b *bench, _, _, access string) int {
			return b.api(access, "auth/token/revoke", "null").status
		}, 401, gone},
		{"unknown token", "refresh:revoked*1", func(b *bench, _, _, _ string) int { return b.renew(strings.Repeat("A", 64)).status }, 400, kept},
		{"unknown access token", "api:revoked*1", func(b *bench, _, _, _ string) int { return b.api("sl.x", account, "null").status }, 401, kept},
		{"no token", "all:revoked*1", func(b *bench, _, _, _ string) int { return b.get("/2/check/user").status }, 405, kept},
		{"page", "all:revoked*1", func(b *bench, _, _, _ string) int { return b.get(authorize()).status }, 200, kept},
		{"elsewhere", "api:revoked*1", func(b *bench, _, used, _ string) int { return b.renew(used).status }, 400, kept},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := start(t, dropboxtest.WithRotation())
			other := b.RefreshToken(b.User().AccountID)
			linked := b.link()
			used, access := str(linked, "refresh_token"), str(linked, "access_token")
			refresh := str(b.renew(used).json(t), "refresh_token")
			b.SetFault(test.spec)
			if got := test.meet(b, refresh, used, access); got != test.status {
				t.Errorf("met with %d, want %d", got, test.status)
			}
			b.ClearFaults()
			if a := b.api(access, account, "null"); (a.status == 200) != test.stands {
				t.Errorf("the access token: %d", a.status)
			}
			if test.stands {
				if a := b.renew(refresh); a.status != 200 {
					t.Errorf("the refresh token: %s", a.body)
				}
			} else {
				wantError(t, b.renew(refresh), "invalid_grant", revoked)
				if got := b.Stats()[1].Ended; got != "fault" {
					t.Errorf("ended by %q", got)
				}
			}
			if a := b.renew(other); a.status != 200 {
				t.Errorf("another grant: %s", a.body)
			}
		})
	}
}

// TestStorm holds what a client meets that never got an answer, though each of
// its refreshes was done: the second one is a reuse.
func TestStorm(t *testing.T) {
	b := start(t, dropboxtest.WithReuseDetection())
	refresh := str(b.link(), "refresh_token")
	b.SetFault("refresh:server-error*3", "refresh:server-error-after-commit*1")
	for i, want := range []int{500, 500, 500, 500, 400} {
		if a := b.renew(refresh); a.status != want {
			t.Errorf("refresh %d: %d, want %d", i, a.status, want)
		}
	}
	if got := b.stats(); got.Redemptions != 1 || got.Reuses != 1 || got.Ended != "reuse" {
		t.Errorf("%s", got)
	}
}

// TestCloseEndsWhatHangs would not end otherwise.
func TestCloseEndsWhatHangs(t *testing.T) {
	b := start(t, dropboxtest.WithFault("hang"), dropboxtest.WithFault("slow-body=1h"))
	done := make(chan error, 1)
	go func() {
		_, _, err := b.raw(t.Context(), "grant_type", "refresh_token")
		done <- err
	}()
	for len(b.Requests()) == 0 || b.Requests()[0].Fault == "" {
		select {
		case err := <-done:
			t.Fatalf("answered: %v", err)
		default:
		}
	}
	b.Close()
	b.Close()
	if err := <-done; err == nil {
		t.Error("an answer came from a closed server")
	}
}

// TestSlowBody needs a clock of its own, and a handler without a network.
func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dropboxtest.New(dropboxtest.WithFault("api:slow-body=3s"))
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://localhost/2/check/user", strings.NewReader(`{"query":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+d.LegacyToken(d.User().AccountID))
		w := &trickle{header: http.Header{}}
		began := time.Now()
		d.ServeHTTP(w, r)
		const want = `{"result":"x"}`
		if w.body.String() != want || w.flushes != len(want) || time.Since(began) != time.Duration(len(want))*3*time.Second {
			t.Errorf("%q in %d parts and %v", w.body.String(), w.flushes, time.Since(began))
		}
	})
}

type trickle struct {
	header  http.Header
	body    strings.Builder
	flushes int
}

func (w *trickle) Header() http.Header         { return w.header }
func (w *trickle) WriteHeader(int)             {}
func (w *trickle) Write(b []byte) (int, error) { return w.body.Write(b) }
func (w *trickle) Flush()                      { w.flushes++ }

func TestWhereFaultsHit(t *testing.T) {
	b := start(t, dropboxtest.WithFault("refresh:server-error"))
	linked := b.link()
	refresh, token := str(linked, "refresh_token"), str(linked, "access_token")
	calls := map[string]func() int{
		"code":      func() int { return b.exchange(b.approve(authorize())).status },
		"refresh":   func() int { return b.renew(refresh).status },
		"authorize": func() int { return b.get(authorize()).status },
		"account":   func() int { return b.api(token, account, "null").status },
		"check":     func() int { return b.api(token, "check/user", `{"query":"x"}`).status },
	}
	for spec, hit := range map[string][]string{
		"refresh:server-error":         {"refresh"},
		"code:server-error":            {"code"},
		"server-error":                 {"code", "refresh"},
		"token:server-error":           {"code", "refresh"},
		"authorize:server-error":       {"authorize"},
		"api:server-error":             {"account", "check"},
		account + ":server-error":      {"account"},
		"all:server-error":             {"account", "authorize", "check", "code", "refresh"},
		"auth/token/revoke:v1_retired": nil,
	} {
		b.SetFault(spec)
		var got []string
		for name, call := range calls {
			if call() == 500 {
				got = append(got, name)
			}
		}
		if slices.Sort(got); !slices.Equal(got, hit) {
			t.Errorf("%s hits %v, want %v", spec, got, hit)
		}
	}
	b.ClearFaults()
	for name, call := range calls {
		if got := call(); got != 200 {
			t.Errorf("%s without faults: %d", name, got)
		}
	}
}

func TestFaultsAreCounted(t *testing.T) {
	b := start(t)
	b.SetFault("server-error*2", "bad-gateway*1")
	b.FaultNext("unavailable*9", 2)
	refresh := b.RefreshToken(b.User().AccountID)
	var got []int
	for range 7 {
		got = append(got, b.renew(refresh).status)
	}
	if want := []int{503, 503, 500, 500, 502, 200, 200}; !slices.Equal(got, want) {
		t.Errorf("answers %v, want %v", got, want)
	}
	if left := b.Faults(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestParseFault(t *testing.T) {
	for spec, want := range map[string]dropboxtest.Fault{
		"v1_retired":                   {Name: "v1_retired", Endpoint: "token"},
		"token:server-error":           {Name: "server-error", Endpoint: "token"},
		"api:rate-limit*2":             {Name: "rate-limit", Endpoint: "api", Duration: time.Second, Count: 2},
		"refresh:rate-limit=1m30s*7":   {Name: "rate-limit", Endpoint: "refresh", Duration: 90 * time.Second, Count: 7},
		"auth/token/revoke:hang":       {Name: "hang", Endpoint: "auth/token/revoke"},
		"all:reset-after-commit*10000": {Name: "reset-after-commit", Endpoint: "all", Count: 10000},
	} {
		got, err := dropboxtest.ParseFault(spec)
		if err != nil || got != want {
			t.Errorf("%s = %+v, %v", spec, got, err)
		}
		if strings.TrimPrefix(spec, "token:") != got.String() {
			t.Errorf("%s is written %s", spec, got)
		}
	}
	for spec, want := range map[string]string{
		"":                   "the faults are v1_retired, ",
		"nonsense":           "the faults are v1_retired, ",
		"web:hang":           "what precedes : is token, code, ",
		"hang*0":             "what follows * is a number from 1",
		"hang*":              "what follows * is a number from 1",
		"hang*-1":            "what follows * is a number from 1",
		"hang*9999999999999": "what follows * is a number from 1",
		"hang=1s":            "hang takes no duration",
		"rate-limit=soon":    "what follows = is a duration such as 15s",
		"rate-limit=-1s":     "what follows = is a duration such as 15s",
	} {
		if _, err := dropboxtest.ParseFault(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", spec, err, want)
		}
	}
	for name, f := range map[string]func(){
		"WithFault": func() { dropboxtest.WithFault("nonsense") },
		"SetFault":  func() { dropboxtest.New().SetFault("nonsense") },
		"FaultNext": func() { dropboxtest.New().FaultNext("hang", 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s took nonsense", name)
				}
			}()
			f()
		}()
	}
}
