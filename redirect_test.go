package authring_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/authring/authring"
	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/provider"
)

const redirectURI = "http://127.0.0.1:53682/callback"

// redirected is a world whose Dropbox knows an app with a redirect URI.
func redirected(t *testing.T) *world {
	t.Helper()
	app := dropboxtest.DefaultApp()
	app.ClientID, app.RedirectURIs = "redirected00id", []string{redirectURI}
	return newWorld(t, dropboxtest.WithApp(dropboxtest.DefaultApp()), dropboxtest.WithApp(app), dropboxtest.WithAutoApprove())
}

func withRedirects() authring.Option { return authring.WithAppKey("redirected00id") }

// follow opens the page as a browser does, and returns where it is sent.
func (w *world) follow(t *testing.T, page string) *url.URL {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	u, err := resp.Location()
	if err != nil {
		t.Fatalf("the page answers %s", resp.Status)
	}
	return u
}

func TestRedirect(t *testing.T) {
	w := redirected(t)
	s := w.open(t, "default", withRedirects())
	pending, err := s.BeginRedirect(t.Context(), redirectURI)
	if err != nil {
		t.Fatal(err)
	}
	if len(pending.State) < 20 || pending.RedirectURI != redirectURI || s.AuthURL() != pending.AuthURL {
		t.Errorf("pending %+v, and the page is %s", pending, s.AuthURL())
	}
	answer := w.follow(t, pending.AuthURL)
	if answer.Query().Get("state") != pending.State || !strings.HasPrefix(answer.String(), redirectURI) {
		t.Fatalf("sent to %s", answer)
	}
	// What is not the answer ends nothing, and is not sent anywhere.
	code := answer.Query().Get("code")
	for _, address := range []string{
		"", "x", redirectURI, redirectURI + "?code=" + code, redirectURI + "?code=" + code + "&state=guess", redirectURI + "?error=access_denied",
		redirectURI + "?error=access_denied&state=guess", redirectURI + "?state=" + pending.State, redirectURI + "#" + answer.RawQuery,
		pending.AuthURL,
	} {
		wantErr(t, s.VerifyRedirect(t.Context(), address), provider.ErrNotACode)
		if strings.Contains(address, "=") {
			wantErr(t, s.VerifyAuthToken(t.Context(), address), provider.ErrNotACode)
		}
	}
	if n := w.asked("/oauth2/token", "authorization_code"); n != 0 {
		t.Errorf("%d codes were sent", n)
	}
	if err := s.VerifyRedirect(t.Context(), answer.String()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveCreds(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantState(t, s, authring.Linked)
	wantErr(t, s.VerifyRedirect(t.Context(), answer.String()), authring.ErrNoPendingLink)
}

// The same answer can be pasted, whole or its code alone.
func TestRedirectPasted(t *testing.T) {
	for name, paste := range map[string]func(*url.URL) string{
		"the address":        func(u *url.URL) string { return "  <" + u.String() + "#_=_>\r\n" },
		"without its scheme": func(u *url.URL) string { return strings.TrimPrefix(u.String(), "http://") },
		"its query":          func(u *url.URL) string { return u.RawQuery },
		"the code alone":     func(u *url.URL) string { return " " + u.Query().Get("code") + "\n" },
	} {
		t.Run(name, func(t *testing.T) {
			w := redirected(t)
			pending, err := w.open(t, "default", withRedirects()).BeginRedirect(t.Context(), redirectURI)
			if err != nil {
				t.Fatal(err)
			}
			// In another process.
			s := w.open(t, "default", withRedirects())
			if err := s.VerifyAuthToken(t.Context(), paste(w.follow(t, pending.AuthURL))); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRefusedRedirects(t *testing.T) {
	for answer, want := range map[string]error{
		"error=access_denied&error_description=No%21":           provider.ErrAccessDenied,
		"error=access_denied&iss=https%3A%2F%2Fwww.dropbox.com": provider.ErrAccessDenied,
		"error=invalid_scope":                                   authring.ErrMissingScope,
		"error=unauthorized_client":                             provider.ErrInvalidClient,
		"error=temporarily_unavailable":                         authring.ErrConnectionFailed,
		"error=something_else%1b%5b2J":                          authring.ErrInvalidToken,
		"code=abcdefghijkl&iss=https%3A%2F%2Fevil.example":      authring.ErrInvalidToken,
	} {
		t.Run(answer, func(t *testing.T) {
			w := redirected(t)
			from := provider.Dropbox()
			from.Issuer = "https://www.dropbox.com"
			s := w.open(t, "default", withRedirects(), authring.WithProvider(from))
			pending, err := s.BeginRedirect(t.Context(), redirectURI)
			if err != nil {
				t.Fatal(err)
			}
			err = s.VerifyRedirect(t.Context(), redirectURI+"?"+answer+"&state="+pending.State)
			wantErr(t, err, want)
			if strings.ContainsAny(err.Error(), "\x1b\n") || strings.Contains(err.Error(), "abcdefgh") {
				t.Errorf("the error is %q", err)
			}
			// It has had its answer: the next page is a fresh one.
			wantErr(t, s.VerifyRedirect(t.Context(), redirectURI+"?code=x&state="+pending.State), authring.ErrNoPendingLink)
			if n := w.asked("/oauth2/token", "authorization_code"); n != 0 {
				t.Errorf("%d codes were sent", n)
			}
		})
	}
}

func TestIssuerThatIsPromised(t *testing.T) {
	w := redirected(t)
	from := provider.Dropbox()
	from.Issuer, from.IssParameter = "https://www.dropbox.com", true
	s := w.open(t, "default", withRedirects(), authring.WithProvider(from))
	pending, err := s.BeginRedirect(t.Context(), redirectURI)
	if err != nil {
		t.Fatal(err)
	}
	wantErr(t, s.VerifyRedirect(t.Context(), redirectURI+"?code=x&state="+pending.State), authring.ErrInvalidToken)
}

// A page that one process opened stays good for the next, if that wants the
// same.
func TestALinkIsTakenUp(t *testing.T) {
	w := redirected(t)
	begin := func(redirect string, opts ...authring.Option) authring.PendingLink {
		t.Helper()
		s := w.open(t, "default", append([]authring.Option{withRedirects()}, opts...)...)
		begin := s.BeginLink
		if redirect != "" {
			begin = func(ctx context.Context) (authring.PendingLink, error) { return s.BeginRedirect(ctx, redirect) }
		}
		pending, err := begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return pending
	}
	first := begin(redirectURI)
	if again := begin(redirectURI); again.AuthURL != first.AuthURL || again.State != first.State {
		t.Errorf("another page: %s, after %s", again.AuthURL, first.AuthURL)
	}
	for name, other := range map[string]func() authring.PendingLink{
		"redirect": func() authring.PendingLink { return begin("http://127.0.0.1:1/callback") },
		"none":     func() authring.PendingLink { return begin("") },
		"scope":    func() authring.PendingLink { return begin(redirectURI, authring.WithScope("sharing.read")) },
		"app key":  func() authring.PendingLink { return begin(redirectURI, authring.WithAppKey("another0000")) },
	} {
		first := begin(redirectURI)
		if got := other(); got.AuthURL == first.AuthURL || got.State == first.State {
			t.Errorf("with another %s the page is the same", name)
		}
	}
}

func TestRedirectURIs(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "default")
	for _, uri := range []string{"", "callback", "http://example.org/", "http://192.0.2.1:1/", "https:///x", "https://example.org/#x", "http://127.0.0.1:1/#", "javascript:alert(1)", "file:///etc/passwd", "myapp:/x"} {
		if _, err := s.BeginRedirect(t.Context(), uri); err == nil {
			t.Errorf("%q is accepted", uri)
		}
	}
	for _, uri := range []string{"http://127.0.0.1/", "http://[::1]:1/x", "http://localhost:53682/", "https://example.org/linked", "com.example.app:/linked"} {
		if _, err := s.BeginRedirect(t.Context(), uri); err != nil {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

func TestNoRedirectWasBegun(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, "default")
	wantErr(t, s.VerifyRedirect(t.Context(), redirectURI+"?code=x&state="), authring.ErrNoPendingLink)
	_ = s.AuthURL()
	if err := s.VerifyRedirect(t.Context(), redirectURI+"?code=x&state="); !errors.Is(err, authring.ErrNoPendingLink) {
		t.Errorf("error %v", err)
	}
}
