package oauthtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Claims of the user, in ID tokens and at the UserInfo endpoint.
var user = map[string]any{"sub": "ada", "name": "Ada Lovelace", "email": "ada@example.org"}

// idToken makes an ID token (OpenID Connect Core section 2) for a grant whose
// scope asks for one; "" for another. The caller holds mu.
func (s *Server) idToken(g *grant, access, nonce string) string {
	if s.options.IDToken == nil || !slices.Contains(strings.Fields(g.scope), "openid") {
		return ""
	}
	if s.key == nil {
		s.key, _ = rsa.GenerateKey(rand.Reader, 2048) // never fails
	}
	sum := sha256.Sum256([]byte(access))
	claims := map[string]any{
		"iss": s.Issuer(), "aud": s.options.ClientID, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	}
	maps.Copy(claims, user)
	if nonce != "" {
		claims["nonce"] = nonce
	}
	s.options.IDToken(claims)
	// RFC 7515 section 7.1, signed with RS256 (RFC 7518 section 3.3).
	text := segment(map[string]any{"alg": "RS256", "typ": "JWT", "kid": "1"}) + "." + segment(claims)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, digest[:])
	if err != nil {
		return ""
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func segment(value any) string {
	data, _ := json.Marshal(value)
	return base64.RawURLEncoding.EncodeToString(data)
}

// keys answers with the JWK Set (RFC 7517 section 5).
func (s *Server) keys(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := []map[string]any{{"kty": "a kind that nobody knows"}}
	if s.key != nil {
		set = append(set, map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1",
			"n": base64.RawURLEncoding.EncodeToString(s.key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(s.key.E)).Bytes()),
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": set})
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
