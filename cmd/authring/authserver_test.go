package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// authServer is an OAuth 2.0 server that redirects, and that links devices.
type authServer struct {
	*httptest.Server

	quiet sync.Mutex // while it is held no device code is given

	mu       sync.Mutex
	deny     bool
	approved bool // on the page for devices
	polled   chan struct{}
	redirect map[string]string // by code
}

func newAuthServer(t *testing.T) *authServer {
	t.Helper()
	s := &authServer{redirect: map[string]string{}, polled: make(chan struct{}, 1000)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth", s.authorize)
	mux.HandleFunc("POST /device", func(w http.ResponseWriter, _ *http.Request) {
		s.quiet.Lock()
		defer s.quiet.Unlock()
		reply(w, map[string]any{
			"device_code": "device-code-of-the-test", "user_code": "WDJB-MJHT", "interval": 1, "expires_in": 600,
			"verification_uri": s.URL + "/activate", "verification_uri_complete": s.URL + "/activate?user_code=WDJB-MJHT",
		})
	})
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"sub": "id-1", "name": "Ada Lovelace", "email": "ada@example.org"})
	})
	s.Server = httptest.NewUnstartedServer(mux)
	s.Start() // which only now has handlers read s.Server
	t.Cleanup(s.Close)
	return s
}

func reply(w http.ResponseWriter, value map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	if value["error"] != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
	_ = json.NewEncoder(w).Encode(value) // a client that has left cannot be told
}

// authorize sends the browser back at once.
func (s *authServer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back := url.Values{"state": {q.Get("state")}, "iss": {s.URL}}
	s.mu.Lock()
	if s.deny {
		back.Set("error", "access_denied")
	} else {
		code := "code-" + q.Get("state")
		s.redirect[code] = q.Get("redirect_uri")
		back.Set("code", code)
	}
	s.mu.Unlock()
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (s *authServer) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		reply(w, map[string]any{"error": "invalid_request"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		want, known := s.redirect[r.PostForm.Get("code")]
		delete(s.redirect, r.PostForm.Get("code"))
		if !known || want != r.PostForm.Get("redirect_uri") {
			reply(w, map[string]any{"error": "invalid_grant"})
			return
		}
	default:
		select {
		case s.polled <- struct{}{}:
		default:
		}
		switch {
		case s.deny:
			reply(w, map[string]any{"error": "access_denied"})
			return
		case !s.approved:
			reply(w, map[string]any{"error": "authorization_pending"})
			return
		}
	}
	reply(w, map[string]any{"access_token": "access-token-of-the-test", "refresh_token": "refresh-token-of-the-test", "token_type": "Bearer", "expires_in": 3600})
}

// decide is what the user does on the page.
func (s *authServer) decide(approved bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.approved, s.deny = approved, !approved
}
