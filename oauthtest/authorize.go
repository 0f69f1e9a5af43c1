package oauthtest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

type code struct{ challenge, redirect, scope, nonce, key string }

// Approve does what the user does in a browser, and returns the address that
// the browser is sent to, which holds the code.
func (s *Server) Approve(authURL string) (string, error) {
	client := http.Client{
		Transport:     s.Client().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Get(authURL)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return "", fmt.Errorf("the page says: %s", text)
	}
	return resp.Header.Get("Location"), nil
}

// authorize is the authorization endpoint (RFC 6749 section 4.1.1, RFC 7636
// section 4.3).
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	query, err := s.requested(r.URL.Query())
	if err == nil {
		err = s.check(query)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	redirect, err := url.Parse(query.Get("redirect_uri"))
	if err != nil {
		http.Error(w, "the redirect URI is none", http.StatusBadRequest)
		return
	}
	value := rand.Text()
	s.mu.Lock()
	s.codes[value] = code{query.Get("code_challenge"), redirect.String(), query.Get("scope"), query.Get("nonce"), query.Get("dpop_jkt")}
	s.mu.Unlock()
	answer := url.Values{"code": {value}}
	if state := query.Get("state"); state != "" {
		answer.Set("state", state)
	}
	redirect.RawQuery = answer.Encode()
	http.Redirect(w, r, redirect.String(), http.StatusFound)
}

// check refuses an authorization request that is not in the right form.
func (s *Server) check(query url.Values) error {
	redirect, err := url.Parse(query.Get("redirect_uri"))
	switch {
	case query.Get("client_id") != s.options.ClientID:
		return errors.New("unknown client")
	case err != nil || redirect.Hostname() != "127.0.0.1" && redirect.Hostname() != "::1":
		return errors.New("the redirect URI is not registered")
	case query.Get("response_type") != "code" || query.Get("code_challenge_method") != "S256" || query.Get("code_challenge") == "":
		return errors.New("a code with PKCE must be asked for")
	}
	return nil
}
