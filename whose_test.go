package authring_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/authring/authring"
	"github.com/authring/authring/keyring"
	"github.com/authring/authring/oauthtest"
	"github.com/authring/authring/provider"
)

// TestIDToken: whose it is, by the ID token alone, and with userinfo.
func TestIDToken(t *testing.T) {
	for _, alone := range []bool{true, false} {
		asked := 0
		h := newHouse(t, oauthtest.Options{IDToken: func(map[string]any) {}, NoUserinfo: alone})
		h.seen = func(r *http.Request) {
			if r.URL.Path == "/keys" {
				asked++
			}
		}
		s, saved := h.link(t)
		if saved.AccountID != "ada" || saved.Email != "ada@example.org" || saved.DisplayName != "Ada Lovelace" || asked != 1 {
			t.Errorf("saved %+v, keys asked for %d times", saved, asked)
		}
		// Nothing of it is kept, and it is asked for no more.
		if _, err := s.Token(t.Context(), authring.Fresh()); err != nil || asked != 1 {
			t.Errorf("Token: %v, keys asked for %d times", err, asked)
		}
	}
}

// TestIDTokenRefused: what fails links nothing, and its grant is given back.
func TestIDTokenRefused(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"nonce":    func(claims map[string]any) { claims["nonce"] = "another" },
		"issuer":   func(claims map[string]any) { claims["iss"] = "https://other.example" },
		"audience": func(claims map[string]any) { claims["aud"] = "another" },
		"expired":  func(claims map[string]any) { claims["exp"] = 1 },
		"hash":     func(claims map[string]any) { claims["at_hash"] = "77QmUPtjPfzWtF2AnpK9RQ" },
		"somebody": func(claims map[string]any) { claims["sub"] = "eve" }, // userinfo says ada
	} {
		h := newHouse(t, oauthtest.Options{IDToken: change})
		s := h.open(t)
		_, err := h.relink(t, s)
		wantErr(t, err, authring.ErrInvalidToken)
		if len(h.memory.Items()) != 0 || s.AccountID() == "eve" {
			t.Errorf("%s: %v, %q", name, h.memory.Items(), s.AccountID())
		}
		if err := s.DiscardCreds(t.Context()); err != nil || h.server.Grants() != 0 {
			t.Errorf("%s: %v, %d grants", name, err, h.server.Grants())
		}
	}
}

// TestIDTokenKeysAway: keys that cannot be had are waited for where nothing else
// tells whose it is.
func TestIDTokenKeysAway(t *testing.T) {
	for _, alone := range []bool{true, false} {
		away := true
		h := newHouse(t, oauthtest.Options{IDToken: func(map[string]any) {}, NoUserinfo: alone})
		h.answered = func(r *http.Response) {
			if r.Request.URL.Path == "/keys" && away {
				r.StatusCode = http.StatusNotFound
			}
		}
		s := h.open(t)
		_, err := h.relink(t, s)
		if !alone && err != nil {
			t.Errorf("with userinfo: %v", err)
		}
		if alone {
			wantErr(t, err, authring.ErrConnectionFailed)
			away = false
			if saved, err := s.SaveCreds(t.Context()); err != nil || saved.AccountID != "ada" {
				t.Errorf("%+v, %v", saved, err)
			}
		}
	}
}

// TestIDTokenElsewhere: the nonce goes with the link to the process that ends
// it; the note of it goes with the link's end.
func TestIDTokenElsewhere(t *testing.T) {
	h := newHouse(t, oauthtest.Options{IDToken: func(map[string]any) {}, PAR: true})
	pending, err := h.open(t).BeginLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := h.open(t)
	if err := s.VerifyAuthToken(t.Context(), h.follow(t, pending.AuthURL)); err != nil {
		t.Fatal(err)
	}
	if saved, err := s.SaveCreds(t.Context()); err != nil || saved.AccountID != "ada" || saved.Keyring != keyring.SecretService {
		t.Errorf("%+v, %v", saved, err)
	}
}

// TestNonce: one is sent where an ID token is asked for, and no other time.
func TestNonce(t *testing.T) {
	h := newHouse(t, oauthtest.Options{})
	page := mustParse(t, h.open(t).AuthURL()).Query()
	if len(page.Get("nonce")) < 20 || !strings.Contains(page.Get("scope"), "openid") {
		t.Errorf("asked for %v", page)
	}
	if page := mustParse(t, h.open(t, authring.WithScope("files")).AuthURL()).Query(); page.Has("nonce") {
		t.Errorf("asked for %v", page)
	}
	if provider.Dropbox().AsksIDToken(nil) {
		t.Error("Dropbox is asked for an ID token")
	}
}
