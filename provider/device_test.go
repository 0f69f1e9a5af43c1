package provider_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

const deviceCode = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"

// deviceServer answers in this process, without a socket, so that it works in
// a synctest bubble. It notes when it was asked.
type deviceServer struct {
	refusals []provider.Refusal // what the provider is known to mean by its codes
	device   string             // what the device authorization endpoint answers
	polls    []string           // what the token endpoint answers, the last for ever; "!" breaks the connection, "NNN " is a status
	began    time.Time
	at       []time.Duration
	forms    []url.Values
}

func (d *deviceServer) RoundTrip(req *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(req.Body)
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	d.forms = append(d.forms, form)
	text, status := d.device, 200
	if req.URL.Path == "/token" {
		d.at = append(d.at, time.Since(d.began))
		text = d.polls[min(len(d.at), len(d.polls))-1]
		if text == "!" {
			return nil, io.ErrUnexpectedEOF
		}
		status = 400
		if strings.Contains(text, "access_token") {
			status = 200
		}
	}
	if len(text) >= 4 && text[3] == ' ' {
		if _, err := fmt.Sscanf(text, "%d ", &status); err != nil {
			return nil, err
		}
		text = text[4:]
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	if status == 429 {
		w.Header().Set("Retry-After", "40")
	}
	w.WriteHeader(status)
	_, _ = w.WriteString(text)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

func (d *deviceServer) client(tb testing.TB, opts ...provider.ClientOption) *provider.Client {
	tb.Helper()
	d.began = time.Now()
	p := &provider.Provider{
		Name: "example", Title: "Example", AuthURL: "https://as.example/auth", TokenURL: "https://as.example/token",
		DeviceURL: "https://as.example/device", DefaultScope: []string{"read"}, RedirectURI: "http://127.0.0.1/callback",
		Refusals: d.refusals,
	}
	return newClient(tb, p, append(opts, provider.WithHTTPTransport(d))...)
}

const (
	pendingPoll = `{"error":"authorization_pending"}`
	slowPoll    = `{"error":"slow_down"}`
	goodPoll    = `{"access_token":"device-access-token","refresh_token":"device-refresh-token","token_type":"Bearer","expires_in":3600}`
)

func deviceAnswer(more string) string {
	return `{"device_code":"` + deviceCode + `","user_code":"WDJB-MJHT","verification_uri":"https://as.example/activate"` + more + `}`
}

func TestDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deviceServer{
			device: deviceAnswer(`,"verification_uri_complete":"https://as.example/activate?user_code=WDJB-MJHT","expires_in":900,"interval":3`),
			polls:  []string{pendingPoll, slowPoll, pendingPoll, goodPoll},
		}
		c := d.client(t)
		a, err := c.AuthorizeDevice(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if a.UserCode != "WDJB-MJHT" || a.VerificationURI != "https://as.example/activate" || a.Interval != 3*time.Second ||
			a.VerificationURIComplete != "https://as.example/activate?user_code=WDJB-MJHT" || time.Until(a.Expires) != 15*time.Minute {
			t.Errorf("authorization %+v", a)
		}
		token, err := c.AwaitDevice(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		if token.AccessToken.Reveal() != "device-access-token" || token.RefreshToken.Reveal() != "device-refresh-token" {
			t.Errorf("token %+v", token)
		}
		// Every 3 s, and after slow_down every 8 s.
		if want := []time.Duration{3 * time.Second, 6 * time.Second, 14 * time.Second, 22 * time.Second}; !slices.Equal(d.at, want) {
			t.Errorf("asked at %v, want %v", d.at, want)
		}
		if f := d.forms[0]; f.Get("client_id") != appKey || f.Get("scope") != "read" {
			t.Errorf("device authorization request %v", f)
		}
		if f := d.forms[1]; f.Get("client_id") != appKey || f.Get("device_code") != deviceCode ||
			f.Get("grant_type") != "urn:ietf:params:oauth:grant-type:device_code" {
			t.Errorf("token request %v", f)
		}
	})
}

// TestDeviceRefusals: a server that has words of its own for the end.
func TestDeviceRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deviceServer{device: deviceAnswer(`,"expires_in":60`), polls: []string{pendingPoll, `{"error":"authorization_declined"}`}}
		d.refusals = []provider.Refusal{{Code: "authorization_declined", Kind: provider.ErrAccessDenied}}
		client := d.client(t)
		a, err := client.AuthorizeDevice(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.AwaitDevice(t.Context(), a)
		fault(t, err, provider.ErrAccessDenied)
	})
}

func TestDeviceEnds(t *testing.T) {
	for name, c := range map[string]struct {
		polls []string
		want  error
		after time.Duration
	}{
		"denied":                {[]string{pendingPoll, `{"error":"access_denied"}`}, provider.ErrAccessDenied, 10 * time.Second},
		"denied with status OK": {[]string{`200 {"error":"access_denied"}`}, provider.ErrAccessDenied, 5 * time.Second},
		"expired":               {[]string{pendingPoll, `{"error":"expired_token"}`}, provider.ErrDeviceExpired, 10 * time.Second},
		"code unknown":          {[]string{`{"error":"invalid_grant"}`}, provider.ErrCodeRejected, 5 * time.Second},
		"client unknown":        {[]string{`401 {"error":"invalid_client"}`}, provider.ErrInvalidClient, 5 * time.Second},
		"what nobody specified": {[]string{`{"error":"something_new"}`}, provider.ErrRequestRefused, 5 * time.Second},
		"refused":               {[]string{pendingPoll, `{"error":"invalid_request"}`}, provider.ErrRequestRefused, 10 * time.Second},
		"never decided":         {[]string{`200 ` + pendingPoll}, provider.ErrDeviceExpired, time.Minute},
		"never reached":         {[]string{"!"}, provider.ErrDeviceExpired, time.Minute},
		// 5 s, then 40 s as asked, and its own doubling; the last at the end.
		"rate limit": {[]string{`429 {}`}, provider.ErrDeviceExpired, time.Minute},
		"page":       {[]string{`200 <html>`}, provider.ErrDeviceExpired, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &deviceServer{device: deviceAnswer(`,"expires_in":60`), polls: c.polls}
				client := d.client(t)
				a, err := client.AuthorizeDevice(t.Context(), []string{"a", "b"})
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.AwaitDevice(t.Context(), a)
				fault(t, err, c.want)
				noSecret(t, err.Error(), secret.New(deviceCode))
				if took := time.Since(d.began); took < c.after || took > c.after+5*time.Second {
					t.Errorf("it took %v, want %v; asked at %v", took, c.after, d.at)
				}
			})
		})
	}
}

// RFC 8628 section 3.5: the polls become rarer while there is no connection,
// and are as frequent as before when there is one again.
func TestDeviceBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deviceServer{device: deviceAnswer(`,"expires_in":1800`), polls: []string{"!", "503 {}", "!", pendingPoll, pendingPoll, goodPoll}}
		c := d.client(t)
		a, err := c.AuthorizeDevice(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.AwaitDevice(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		before := time.Duration(0)
		for i, least := range []time.Duration{5, 10, 20, 40, 5, 5} {
			gap := d.at[i] - before
			before = d.at[i]
			if least *= time.Second; gap < least || gap > 2*least {
				t.Errorf("poll %d came after %v, want about %v", i, gap, least)
			}
		}
	})
}

// TestDeviceFaults: a server that answers and says nothing of use is not asked
// for as long as the code lives, one that cannot be reached is, and the caller
// hears of both.
func TestDeviceFaults(t *testing.T) {
	for name, c := range map[string]struct {
		polls []string
		want  error
		asked int
	}{
		"only faults":           {[]string{"503 {}"}, provider.ErrServerFault, 5},
		"only pages":            {[]string{"200 <html>"}, provider.ErrUnexpectedAnswer, 5},
		"a fault with a word":   {[]string{`500 {"error":"invalid_request"}`}, provider.ErrServerFault, 5},
		"not in a row":          {[]string{"503 {}", "503 {}", "503 {}", "503 {}", pendingPoll, "502 {}", "502 {}", "502 {}", "502 {}", slowPoll, goodPoll}, nil, 11},
		"no network in between": {[]string{"503 {}", "503 {}", "503 {}", "503 {}", "!", "503 {}", "503 {}", "503 {}", "503 {}", goodPoll}, nil, 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &deviceServer{device: deviceAnswer(`,"expires_in":3600,"interval":1`), polls: c.polls}
				client := d.client(t)
				a, err := client.AuthorizeDevice(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				told := 0
				a.Trouble = func(trouble error, next time.Duration) {
					told++
					if !errors.Is(trouble, provider.ErrConnectionFailed) || next < time.Second || next > 6*time.Minute {
						t.Errorf("told %v, again in %v", trouble, next)
					}
				}
				_, err = client.AwaitDevice(t.Context(), a)
				if c.want != nil {
					fault(t, err, c.want)
				} else if err != nil {
					t.Error(err)
				}
				if len(d.at) != c.asked || told == 0 || told >= c.asked {
					t.Errorf("asked %d times, told %d times; want %d questions", len(d.at), told, c.asked)
				}
			})
		})
	}
}

func TestDeviceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deviceServer{device: deviceAnswer(""), polls: []string{pendingPoll}}
		c := d.client(t)
		a, err := c.AuthorizeDevice(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		if _, err := c.AwaitDevice(ctx, a); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("AwaitDevice = %v", err)
		}
		if took := time.Since(d.began); took != 12*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestDeviceAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for text, want := range map[string]struct {
			interval, life time.Duration
		}{
			deviceAnswer(``): {5 * time.Second, 10 * time.Minute},
			deviceAnswer(`,"interval":0,"expires_in":0`):                              {time.Second, time.Second},
			deviceAnswer(`,"interval":-7,"expires_in":-1`):                            {time.Second, time.Second},
			deviceAnswer(`,"interval":1e300,"expires_in":1e300`):                      {5 * time.Minute, time.Hour},
			deviceAnswer(`,"interval":"7","expires_in":"90"`):                         {7 * time.Second, 90 * time.Second},
			deviceAnswer(`,"interval":null,"expires_in":[1]`):                         {5 * time.Second, 10 * time.Minute},
			deviceAnswer(`,"interval":2.5,"verification_uri_complete":"javascript:"`): {2500 * time.Millisecond, 10 * time.Minute},
		} {
			d := &deviceServer{device: text}
			a, err := d.client(t).AuthorizeDevice(t.Context(), nil)
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			if a.Interval != want.interval || time.Until(a.Expires) != want.life || a.VerificationURIComplete != "" {
				t.Errorf("%s: %+v", text, a)
			}
		}
		for _, text := range []string{
			`{}`, `[]`, `null`, `<html>`, deviceAnswer(`,"verification_uri":"http://as.example/"`), deviceAnswer(`,"verification_uri":"https://u:p@as.example/"`),
			deviceAnswer(`,"verification_uri":"https://as.example/a b"`), deviceAnswer(`,"user_code":"\u001b[2J"`),
			deviceAnswer(`,"user_code":""`), deviceAnswer(`,"user_code":"` + strings.Repeat("x", 65) + `"`), deviceAnswer(`,"device_code":"a\nb"`), deviceAnswer(`,"device_code":7`),
		} {
			d := &deviceServer{device: text}
			if _, err := d.client(t).AuthorizeDevice(t.Context(), nil); !errors.Is(err, provider.ErrUnexpectedAnswer) {
				t.Errorf("%s: %v", text, err)
			}
		}
		for text, want := range map[string]error{
			`401 {"error":"unauthorized_client"}`:                                     provider.ErrInvalidClient,
			`400 {"error":"invalid_request","error_description":"it must be pushed"}`: provider.ErrRequestRefused,
			`400 {"error":"device_flow_disabled"}`:                                    provider.ErrRequestRefused,
			`200 {"error":"device_flow_disabled"}`:                                    provider.ErrRequestRefused,
			`403 {"error":"access_denied"}`:                                           provider.ErrRequestRefused,
			`503 {"error":"invalid_request"}`:                                         provider.ErrServerFault,
			`400 {"error":"temporarily_unavailable"}`:                                 provider.ErrServerFault,
			`404 {}`: provider.ErrServerFault,
		} {
			_, err := (&deviceServer{device: text}).client(t, quick).AuthorizeDevice(t.Context(), nil)
			fault(t, err, want)
		}
	})
	if _, err := dropboxClient(t, "http://127.0.0.1:1").AuthorizeDevice(t.Context(), nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Dropbox: %v", err)
	}
}

func FuzzDeviceAnswer(f *testing.F) {
	for _, seed := range []string{deviceAnswer(""), deviceAnswer(`,"interval":1e999`), `{"error":"invalid_scope"}`, `{"device_code":{}}`, "\x00", "0   {}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// With a status of its own: what is tried might begin like one.
		a, err := (&deviceServer{device: "200 " + text}).client(t, quick).AuthorizeDevice(t.Context(), nil)
		if err != nil {
			return
		}
		if a.Interval < time.Second || a.Interval > 5*time.Minute || time.Until(a.Expires) > time.Hour || a.UserCode == "" || a.DeviceCode.IsZero() {
			t.Errorf("%q: %+v", text, a)
		}
		for _, page := range []string{a.VerificationURI, a.VerificationURIComplete} {
			if u, err := url.Parse(page); err != nil || page != "" && u.Host == "" || strings.ContainsAny(page, " \n\x1b") {
				t.Errorf("%q: a page %q", text, page)
			}
		}
	})
}
