package oauthtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// errNonce: the proof is to be made again, with the nonce of the answer.
var errNonce = errors.New("use_dpop_nonce")

// prove checks the proof of a request (RFC 9449 section 4.3), and returns the
// thumbprint of its key; "" if there is no proof. The caller holds mu.
func (s *Server) prove(w http.ResponseWriter, r *http.Request, access string) (string, error) {
	proofs := r.Header.Values("DPoP")
	if !s.options.DPoP || len(proofs) == 0 {
		return "", nil
	}
	if s.nonce != "" {
		w.Header().Set("DPoP-Nonce", s.nonce)
	}
	parts := strings.Split(proofs[0], ".")
	if len(proofs) != 1 || len(parts) != 3 {
		return "", errors.New("there is not one proof")
	}
	var head struct {
		Type string            `json:"typ"`
		Alg  string            `json:"alg"`
		JWK  map[string]string `json:"jwk"`
	}
	var claims struct {
		ID     string `json:"jti"`
		Method string `json:"htm"`
		Target string `json:"htu"`
		Issued int64  `json:"iat"`
		Hash   string `json:"ath"`
		Nonce  string `json:"nonce"`
	}
	if err := errors.Join(read(parts[0], &head), read(parts[1], &claims)); err != nil {
		return "", err
	}
	x, y := number(head.JWK["x"]), number(head.JWK["y"])
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	switch {
	case err != nil || len(signature) != 64 || head.Type != "dpop+jwt" || head.Alg != "ES256":
		return "", errors.New("it is no proof of ES256")
	case head.JWK["kty"] != "EC" || head.JWK["crv"] != "P-256" || head.JWK["d"] != "":
		return "", errors.New("it does not hold a public key")
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	key := &ecdsa.PublicKey{Curve: elliptic.P256(), X: x, Y: y}
	if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return "", errors.New("its signature is not of its key")
	}
	hash := ""
	if access != "" {
		sum := sha256.Sum256([]byte(access))
		hash = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	age := time.Since(time.Unix(claims.Issued, 0)) + s.options.Ahead
	switch {
	case claims.ID == "" || s.proofs[claims.ID]:
		return "", errors.New("it was used before")
	case claims.Method != r.Method || claims.Target != s.URL+r.URL.Path:
		return "", fmt.Errorf("it is for %s %s", claims.Method, claims.Target)
	case age > time.Minute || age < -time.Minute:
		return "", fmt.Errorf("it is %v old", age)
	case claims.Hash != hash:
		return "", errors.New("it is not for this access token")
	}
	s.proofs[claims.ID] = true
	if s.options.Nonces && (claims.Nonce == "" || claims.Nonce != s.nonce) {
		if s.nonce == "" {
			s.nonce = rand.Text()
			w.Header().Set("DPoP-Nonce", s.nonce)
		}
		return "", errNonce
	}
	// RFC 7638 section 3.
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, head.JWK["x"], head.JWK["y"]))
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// NewNonce has the server want another nonce from now on.
func (s *Server) NewNonce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nonce = rand.Text()
}

// refuseProof answers a request to the server itself whose proof is not right.
func refuseProof(w http.ResponseWriter, err error) {
	code := "invalid_dpop_proof"
	if errors.Is(err, errNonce) {
		code = errNonce.Error()
	}
	writeJSON(w, http.StatusBadRequest, map[string]any{"error": code, "error_description": err.Error()})
}

func read(part string, into any) error {
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func number(text string) *big.Int {
	data, _ := base64.RawURLEncoding.DecodeString(text)
	return new(big.Int).SetBytes(data)
}
