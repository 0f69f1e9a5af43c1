package oauthtest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
)

type grant struct {
	refresh, scope string
	key            string // thumbprint of the one that its tokens are bound to
	ended          bool
}

// token is the token endpoint (RFC 6749 sections 4.1.3 and 6).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if !s.client(r) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.prove(w, r, "")
	if err != nil {
		refuseProof(w, err)
		return
	}
	var g *grant
	nonce := ""
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		c, known := s.codes[r.PostForm.Get("code")]
		delete(s.codes, r.PostForm.Get("code"))
		sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		if !known || c.key != "" && c.key != key || c.redirect != r.PostForm.Get("redirect_uri") || c.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
			refuse(w, http.StatusBadRequest, "invalid_grant")
			return
		}
		g = &grant{scope: c.scope, refresh: rand.Text(), key: key}
		nonce = c.nonce
		s.grants, s.refresh[g.refresh] = append(s.grants, g), g
	case "refresh_token":
		old := r.PostForm.Get("refresh_token")
		g = s.refresh[old]
		if g != nil && g.refresh != old {
			g.ended = true // it was used before
		}
		if g == nil || g.ended || g.key != key {
			refuse(w, http.StatusBadRequest, "invalid_grant")
			return
		}
		if s.options.Rotate {
			g.refresh = rand.Text()
			s.refresh[g.refresh] = g
		}
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
		return
	}
	value := rand.Text()
	s.access[value] = g
	answer := map[string]any{"access_token": value, "token_type": "Bearer", "expires_in": 3600, "scope": g.scope}
	if key != "" {
		answer["token_type"] = "DPoP"
	}
	if r.PostForm.Get("grant_type") == "authorization_code" || s.options.Rotate {
		answer["refresh_token"] = g.refresh
	}
	if token := s.idToken(g, value, nonce); token != "" {
		answer["id_token"] = token
	}
	if s.options.Answer != nil {
		s.options.Answer(answer)
	}
	writeJSON(w, http.StatusOK, answer)
}

// client reports whether a request is the client's (RFC 6749 section 2.3.1).
func (s *Server) client(r *http.Request) bool {
	if r.ParseForm() != nil {
		return false
	}
	want := [2]string{s.options.ClientID, s.options.ClientSecret}
	name, password, basic := r.BasicAuth()
	if basic {
		// Both are form-urlencoded in the header.
		id, err1 := url.QueryUnescape(name)
		secret, err2 := url.QueryUnescape(password)
		return err1 == nil && err2 == nil && !s.options.AuthPost && [2]string{id, secret} == want && !r.PostForm.Has("client_secret")
	}
	if want[1] != "" && !s.options.AuthPost {
		return false
	}
	return [2]string{r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")} == want
}

// revoke is the revocation endpoint (RFC 7009 section 2).
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if !s.client(r) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token := r.PostForm.Get("token")
	if g := s.refresh[token]; g != nil {
		g.ended = true
	}
	delete(s.access, token)
	w.WriteHeader(http.StatusOK)
}
