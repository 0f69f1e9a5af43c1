// Package oauthtest is an OAuth 2.0 server of a process, for tests of programs
// that link with any server: authorization code with PKCE, refresh, revocation,
// userinfo, and its own description (RFC 8414). It approves everything that is
// asked in the right form, and refuses what is not. It is as strict as a server
// may be, and has none of the ways of a particular one.
package oauthtest

import (
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
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

func refuse(w http.ResponseWriter, status int, code string) {
	writeJSON(w, status, map[string]any{"error": code})
}

func writeJSON(w http.ResponseWriter, status int, members map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(members)
}
