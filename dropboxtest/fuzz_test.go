package dropboxtest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/authring/authring/dropboxtest"
)

// request makes a request for a handler, without a network.
func request(tb testing.TB, method, path, body string) (*http.Request, *httptest.ResponseRecorder) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), method, "http://localhost/", strings.NewReader(body))
	if err != nil {
		tb.Skip("not a request")
	}
	path, query, _ := strings.Cut(path, "?")
	r.URL = &url.URL{Path: path, RawQuery: query}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r, httptest.NewRecorder()
}

// FuzzParseFault holds that what is read is written and read again the same.
func FuzzParseFault(f *testing.F) {
	for _, name := range dropboxtest.FaultNames() {
		f.Add(name)
	}
	f.Add("api:rate-limit=15s*2")
	f.Add("auth/token/revoke:slow-body=1.5ms*1000000")
	f.Add("::**==")
	f.Fuzz(func(t *testing.T, spec string) {
		fault, err := dropboxtest.ParseFault(spec)
		if err != nil {
			return
		}
		again, err := dropboxtest.ParseFault(fault.String())
		if err != nil || again != fault {
			t.Errorf("%q is %+v, written %q, and then %+v (%v)", spec, fault, fault, again, err)
		}
	})
}

// FuzzAuthorize holds that the page refuses or asks, and never fails.
func FuzzAuthorize(f *testing.F) {
	for _, path := range []string{authorize(), authorizeSecretive("redirect_uri", redirectURI, "state", "s"),
		authorizeSecretive("response_type", "token", "redirect_uri", redirectURI2), "/oauth2/authorize?%zz"} {
		_, query, _ := strings.Cut(path, "?")
		f.Add(query, "")
		f.Add(query, "decision=allow")
		f.Add(query, "decision=deny&account=dbid:bob")
	}
	f.Fuzz(func(t *testing.T, query, form string) {
		d := dropboxtest.New(dropboxtest.WithApp(dropboxtest.DefaultApp()), dropboxtest.WithApp(confidentialApp()),
			dropboxtest.WithUser(dropboxtest.DefaultUser()), dropboxtest.WithUser(dropboxtest.User{AccountID: "dbid:bob"}))
		method := "GET"
		if form != "" {
			method = "POST"
		}
		r, w := request(t, method, "/oauth2/authorize?"+query, form)
		d.ServeHTTP(w, r)
		switch w.Code {
		case 200, 400:
		case 302:
			to := w.Header().Get("Location")
			if !strings.HasPrefix(to, redirectURI) && !strings.HasPrefix(to, redirectURI2) {
				t.Errorf("redirected to %q", to)
			}
		default:
			t.Errorf("status %d", w.Code)
		}
	})
}

// FuzzToken holds that nothing is handed out without a code, a refresh token or
// a proof.
func FuzzToken(f *testing.F) {
	f.Add("", "grant_type=refresh_token&refresh_token=x&client_id="+dropboxtest.DefaultClientID)
	f.Add("grant_type=authorization_code&code=x&code_verifier="+verifier, "client_id="+dropboxtest.DefaultClientID)
	f.Add("%zz", "a=1&a=2")
	f.Add("grant_type=x", strings.Repeat("x", 70_000))
	f.Fuzz(func(t *testing.T, query, form string) {
		d := dropboxtest.New()
		d.RefreshToken(d.User().AccountID)
		r, w := request(t, "POST", "/oauth2/token?"+query, form)
		d.ServeHTTP(w, r)
		if w.Code != 400 || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("status %d %s", w.Code, w.Header().Get("Content-Type"))
		}
		if log := d.Requests(); len(log) != 1 || log[0].Status != 400 {
			t.Errorf("log %+v", log)
		}
	})
}

// FuzzRefreshToken holds that a refresh token is refused, and nothing ended by
// it, once any character of it was changed.
func FuzzRefreshToken(f *testing.F) {
	f.Add(0, "A")
	f.Add(16, strings.Repeat("-", 32))
	f.Add(63, "_")
	f.Add(64, "A")
	f.Add(0, strings.Repeat("A", 64))
	f.Fuzz(func(t *testing.T, at int, text string) {
		d := dropboxtest.New(dropboxtest.WithReuseDetection())
		good := d.RefreshToken(d.User().AccountID)
		if at < 0 || at > len(good) {
			return
		}
		token := good[:at] + text + good[min(at+len(text), len(good)):]
		r, w := request(t, "POST", "/oauth2/token", values("grant_type", "refresh_token",
			"refresh_token", token, "client_id", dropboxtest.DefaultClientID).Encode())
		d.ServeHTTP(w, r)
		if (w.Code == 200) != (token == good) {
			t.Errorf("status %d for a token that is the good one: %v", w.Code, token == good)
		}
		if s := d.Stats()[0]; s.Ended != "" || s.Reuses != 0 {
			t.Errorf("%s", s)
		}
	})
}

// FuzzAPI holds that no call fails in the server's name.
func FuzzAPI(f *testing.F) {
	f.Add("check/user", `{"query":"x"}`, true)
	f.Add("users/get_current_account", "null", true)
	f.Add("auth/token/revoke", "null", true)
	f.Add("auth/token/revoke", "", false)
	f.Fuzz(func(t *testing.T, route, body string, authorized bool) {
		d := dropboxtest.New()
		r, w := request(t, "POST", "/2/"+route, body)
		r.Header.Set("Content-Type", "application/json")
		if authorized {
			r.Header.Set("Authorization", "Bearer "+d.LegacyToken(d.User().AccountID))
		}
		d.ServeHTTP(w, r)
		if w.Code >= 500 || w.Code == 200 && !authorized {
			t.Errorf("status %d", w.Code)
		}
	})
}
