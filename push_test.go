package authring_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/keyring/keyringtest"
	"github.com/authring/authring/oauthtest"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

// house is a user of a server that is not Dropbox. Nothing of it uses a socket
// once it is made, so that it works in a synctest bubble.
type house struct {
	server   *oauthtest.Server
	provider *provider.Provider
	memory   *keyringtest.Memory
	layout   record.Layout
	down     bool                     // the server cannot be reached
	seen     func(*http.Request)      // is told of each request; may be nil
	answered func(*http.Response)     // may change an answer; may be nil
	options  func() []authring.Option // of each session; may be nil
}

func newHouse(t *testing.T, options oauthtest.Options) *house {
	t.Helper()
	h := &house{server: oauthtest.NewServer(options), memory: keyringtest.NewMemory(keyring.SecretService)}
	t.Cleanup(h.server.Close)
	found, err := provider.Discover(t.Context(), h.server.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	h.provider = &provider.Provider{Name: "house", Title: "House", ClientID: "client", Replay: provider.ReplayReusable}
	if options.Rotate {
		h.provider.Replay, h.provider.Rotates = provider.ReplaySingleUse, true
	}
	found.Describe(h.provider)
	h.provider.Hosts = []string{mustParse(t, h.server.URL).Host}
	home := t.TempDir()
	if h.layout, err = record.LayoutIn("authring", filepath.Join(home, "config"), filepath.Join(home, "state")); err != nil {
		t.Fatal(err)
	}
	return h
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// RoundTrip hands a request to the server.
func (h *house) RoundTrip(req *http.Request) (*http.Response, error) {
	if h.seen != nil {
		h.seen(req)
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if h.down {
		return nil, http.ErrServerClosed
	}
	in := req.Clone(req.Context())
	in.RequestURI = req.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	h.server.Config.Handler.ServeHTTP(recorder, in)
	resp := recorder.Result()
	resp.Request = req
	if h.answered != nil {
		h.answered(resp)
	}
	return resp, nil
}

func (h *house) open(t *testing.T, opts ...authring.Option) *authring.Session {
	t.Helper()
	base := []authring.Option{
		authring.WithLayout(h.layout), authring.WithProvider(h.provider), authring.WithKeyrings(h.memory), authring.WithTransport(h),
	}
	if h.options != nil {
		base = append(base, h.options()...)
	}
	s, err := authring.Open("default", append(base, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// follow opens the page, and returns the address that the browser is sent to;
// empty if the page shows an error.
func (h *house) follow(t *testing.T, page string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := h.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Header.Get("Location")
}

// link links the one config name.
func (h *house) link(t *testing.T, opts ...authring.Option) (*authring.Session, authring.Saved) {
	t.Helper()
	s := h.open(t, opts...)
	saved, err := h.relink(t, s)
	if err != nil {
		t.Fatal(err)
	}
	return s, saved
}

func (h *house) relink(t *testing.T, s *authring.Session) (authring.Saved, error) {
	t.Helper()
	pending, err := s.BeginLink(t.Context())
	if err == nil {
		err = s.VerifyAuthToken(t.Context(), h.follow(t, pending.AuthURL))
	}
	if err != nil {
		return authring.Saved{}, err
	}
	return s.SaveCreds(t.Context())
}

// TestPushedLink: the page is made anew when it was shown for too long, and the
// answers of all of them are good.
func TestPushedLink(t *testing.T) {
	h := newHouse(t, oauthtest.Options{RequirePAR: true})
	synctest.Test(t, func(t *testing.T) {
		s := h.open(t)
		first, err := s.BeginLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if life := time.Until(first.PageExpires); life != time.Minute {
			t.Errorf("the page is good for %v", life)
		}
		if page := mustParse(t, first.AuthURL).Query(); len(page) != 2 || page.Get("request_uri") == "" || page.Get("client_id") != "client" {
			t.Errorf("the page is %s", first.AuthURL)
		}
		if s.AuthURL() != first.AuthURL {
			t.Error("the page is another one at once")
		}
		answer := h.follow(t, first.AuthURL)
		time.Sleep(31 * time.Second)
		second, err := s.BeginLink(t.Context())
		if err != nil || second.AuthURL == first.AuthURL || second.State != first.State {
			t.Fatalf("half a life later: %+v, %v", second, err)
		}
		if s.AuthURL() != second.AuthURL {
			t.Error("AuthURL has another page than BeginLink")
		}
		// Another process takes the link up, with a page of its own.
		other := h.open(t)
		third, err := other.BeginLink(t.Context())
		if err != nil || third.State != first.State || third.AuthURL == second.AuthURL {
			t.Fatalf("another process: %+v, %v", third, err)
		}
		time.Sleep(61 * time.Second)
		if address := h.follow(t, third.AuthURL); address != "" {
			t.Errorf("the server keeps a request for ever: %s", address)
		}
		if err := s.VerifyAuthToken(t.Context(), answer); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SaveCreds(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestPushFails: what is not pushed does not go through the browser instead.
func TestPushFails(t *testing.T) {
	h := newHouse(t, oauthtest.Options{PAR: true})
	synctest.Test(t, func(t *testing.T) {
		s := h.open(t)
		h.down = true
		_, err := s.BeginLink(t.Context())
		wantErr(t, err, authring.ErrConnectionFailed)
		if page := s.AuthURL(); page != "" {
			t.Errorf("the page is %s", page)
		}
		h.down = false
		if _, err := h.relink(t, s); err != nil {
			t.Error(err)
		}
		_, err = h.open(t, authring.WithAppKey("unknown")).BeginLink(t.Context())
		wantErr(t, err, provider.ErrInvalidClient)
	})
}
