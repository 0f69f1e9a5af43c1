// Package oauthtest is an OAuth 2.0 server of a process, for tests of programs
// that link with any server: authorization code with PKCE, refresh, revocation,
// userinfo, and its own description (RFC 8414). It approves everything that is
// asked in the right form, and refuses what is not. It is as strict as a server
// may be, and has none of the ways of a particular one.
package oauthtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say what kind of server it is. The zero value is one for public
// clients, whose refresh tokens can be used again.
type Options struct {
	// ClientID is the one client that it knows; empty is "client".
	ClientID string
	// ClientSecret, if it is set, must come with each request of the client:
	// in a header (RFC 6749 section 2.3.1), or, with AuthPost, in the body.
	ClientSecret string
	AuthPost     bool
	// Path is the path of the issuer, such as /tenant; it may be empty.
	Path string
	// OpenID puts the description where OpenID Connect Discovery has it.
	OpenID bool
	// Rotate gives a new refresh token at each use, and ends the grant when
	// one is used twice.
	Rotate bool
	// NoUserinfo has it tell nobody whose a token is.
	NoUserinfo bool
	// PAR takes pushed authorization requests (RFC 9126), and RequirePAR no
	// others. PushedLife is how long they are kept: a minute if it is 0.
	PAR, RequirePAR bool
	PushedLife      time.Duration
	// DPoP takes proofs (RFC 9449), and binds tokens to their keys; Nonces wants
	// a nonce of its own in them.
	DPoP, Nonces bool
	// Ahead is how far the server's clock is ahead of this machine's, for proofs
	// and in the header Date.
	Ahead time.Duration
	// IDToken, if it is set, has the server give ID tokens (OpenID Connect Core
	// section 2) to those who ask for the scope openid, and changes their
	// claims before they are signed.
	IDToken func(claims map[string]any)
	// Answer changes an answer of the token endpoint, Describe what the
	// server says of itself, before they are sent. Both may be nil.
	Answer, Describe func(map[string]any)
}

// Server is a server. Make one with [NewServer].
type Server struct {
	*httptest.Server
	options Options

	mu      sync.Mutex
	codes   map[string]code
	refresh map[string]*grant
	access  map[string]*grant
	grants  []*grant
	seen    []string
	pushed  map[string]pushed
	key     *rsa.PrivateKey // of ID tokens
	nonce   string          // that proofs must have
	proofs  map[string]bool // that were used
}

type code struct{ challenge, redirect, scope, nonce, key string }

type grant struct {
	refresh, scope string
	key            string // thumbprint of the one that its tokens are bound to
	ended          bool
}

// NewServer starts a server on this machine. Close it.
func NewServer(options Options) *Server {
	if options.ClientID == "" {
		options.ClientID = "client"
	}
	s := &Server{options: options, codes: map[string]code{}, refresh: map[string]*grant{}, access: map[string]*grant{}, pushed: map[string]pushed{}, proofs: map[string]bool{}}
	mux := http.NewServeMux()
	wellKnown := "/.well-known/oauth-authorization-server" + options.Path
	if options.OpenID {
		wellKnown = options.Path + "/.well-known/openid-configuration"
	}
	mux.HandleFunc("GET "+wellKnown, s.describe)
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /par", s.push)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /revoke", s.revoke)
	mux.HandleFunc("GET /userinfo", s.userinfo)
	mux.HandleFunc("GET /keys", s.keys)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.URL.Path)
		s.mu.Unlock()
		w.Header().Set("Date", time.Now().Add(s.options.Ahead).UTC().Format(http.TimeFormat))
		mux.ServeHTTP(w, r)
	}))
	s.Start()
	return s
}

// Issuer is the server's issuer identifier.
func (s *Server) Issuer() string { return s.URL + s.options.Path }

// Paths returns the paths that were asked so far.
func (s *Server) Paths() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// Grants counts the grants that are valid.
func (s *Server) Grants() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, g := range s.grants {
		if !g.ended {
			n++
		}
	}
	return n
}

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

func (s *Server) describe(w http.ResponseWriter, _ *http.Request) {
	document := map[string]any{
		"issuer":                                s.Issuer(),
		"authorization_endpoint":                s.URL + "/authorize",
		"token_endpoint":                        s.URL + "/token",
		"revocation_endpoint":                   s.URL + "/revoke",
		"response_types_supported":              []string{"code"},
		"code_challenge_methods_supported":      []string{"S256"},
		"scopes_supported":                      []string{"openid", "profile", "email"},
		"token_endpoint_auth_methods_supported": []string{s.method()},
	}
	if !s.options.NoUserinfo {
		document["userinfo_endpoint"] = s.URL + "/userinfo"
	}
	if s.options.DPoP {
		document["dpop_signing_alg_values_supported"] = []string{"ES256"}
	}
	if s.options.IDToken != nil {
		document["jwks_uri"] = s.URL + "/keys"
	}
	if s.options.PAR || s.options.RequirePAR {
		document["pushed_authorization_request_endpoint"] = s.URL + "/par"
		document["require_pushed_authorization_requests"] = s.options.RequirePAR
	}
	if s.options.Describe != nil {
		s.options.Describe(document)
	}
	writeJSON(w, http.StatusOK, document)
}

func (s *Server) method() string {
	switch {
	case s.options.ClientSecret == "":
		return "none"
	case s.options.AuthPost:
		return "client_secret_post"
	}
	return "client_secret_basic"
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

// userinfo is the UserInfo endpoint (OpenID Connect Core section 5.3).
func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	kind, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	g := s.access[value]
	key, err := s.prove(w, r, value)
	if err != nil && !errors.Is(err, errNonce) {
		s.mu.Unlock()
		w.Header().Set("WWW-Authenticate", `DPoP error="invalid_dpop_proof"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	valid := g != nil && !g.ended && g.key == key && (kind == "DPoP") == (key != "")
	s.mu.Unlock()
	if errors.Is(err, errNonce) {
		w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if !valid || s.options.NoUserinfo {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	writeJSON(w, http.StatusOK, user)
}

func refuse(w http.ResponseWriter, status int, code string) {
	writeJSON(w, status, map[string]any{"error": code})
}

func writeJSON(w http.ResponseWriter, status int, members map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(members)
}
