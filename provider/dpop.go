package provider

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/authring/authring/secret"
)

// DPoP reports whether the server takes proofs (RFC 9449) of a kind that is made
// here: those of ES256.
func (p *Provider) DPoP() bool { return slices.Contains(p.DPoPAlgs, string(jose.ES256)) }

// DPoPKey is a key pair to which a server binds tokens (RFC 9449): without the
// key they are of no use. It prints as ***.
//
// It remembers, in memory, the nonces that servers gave and how their clocks
// differ from this machine's, and is safe for concurrent use.
type DPoPKey struct {
	text       secret.Secret
	signer     jose.Signer
	thumbprint string

	mu      sync.Mutex
	servers map[string]proved // by origin
}

// proved is what the proofs for a server must have.
type proved struct {
	nonce string        // the one that it gave last; may be empty
	ahead time.Duration // what its clock is ahead of this machine's
}

// NewDPoPKey makes a key pair, for ES256 (RFC 7518 section 3.4).
func NewDPoPKey() (*DPoPKey, error) {
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, errors.New("could not make a key for DPoP")
	}
	text, err := jose.JSONWebKey{Key: pair}.MarshalJSON()
	if err != nil {
		return nil, errors.New("could not write a key for DPoP")
	}
	return ParseDPoPKey(secret.New(string(text)))
}

// maxKey bounds the text of a key, which has about 180 bytes.
const maxKey = 1 << 10

// ParseDPoPKey reads what [DPoPKey.Text] gives.
func ParseDPoPKey(text secret.Secret) (*DPoPKey, error) {
	unusable := errors.New("could not read a key for DPoP: it is not the JSON Web Key of a key pair for ES256")
	if len(text.Reveal()) > maxKey {
		return nil, unusable
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON([]byte(text.Reveal())); err != nil {
		return nil, unusable // without err, which may quote it
	}
	pair, ok := jwk.Key.(*ecdsa.PrivateKey)
	if !ok || pair.Curve != elliptic.P256() || !jwk.Valid() {
		return nil, unusable
	}
	// RFC 9449 section 4.2: typ is dpop+jwt, and jwk the public key.
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: pair}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	if err != nil {
		return nil, unusable
	}
	public := jose.JSONWebKey{Key: pair.Public()}
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, unusable
	}
	return &DPoPKey{text: text, signer: signer, thumbprint: base64.RawURLEncoding.EncodeToString(sum), servers: map[string]proved{}}, nil
}

// Text is the private key as a JSON Web Key (RFC 7517), without spaces.
func (k *DPoPKey) Text() secret.Secret { return k.text }

// Thumbprint names the key (RFC 7638, with SHA-256), as dpop_jkt has it (RFC
// 9449 section 10). It is no secret.
func (k *DPoPKey) Thumbprint() string { return k.thumbprint }

// Format prints *** with every verb.
func (k *DPoPKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, secret.Mask) }

// Authorize puts a proof into the header of a request (RFC 9449 section 4.1),
// and with an access token also that token and its hash (section 7.1). The
// request is that of one try: each needs a proof of its own.
func (k *DPoPKey) Authorize(req *http.Request, accessToken secret.Secret) error {
	proof, err := k.proof(req.Method, req.URL, accessToken)
	if err != nil {
		return err
	}
	req.Header.Set("DPoP", proof)
	if !accessToken.IsZero() {
		req.Header.Set("Authorization", "DPoP "+accessToken.Reveal())
	}
	return nil
}

// proof makes a proof as RFC 9449 section 4.2 has it.
func (k *DPoPKey) proof(method string, target *url.URL, accessToken secret.Secret) (string, error) {
	if method == "" {
		method = http.MethodGet
	}
	// htu: "The HTTP target URI ... of the request to which the JWT is attached,
	// without query and fragment parts."
	htu := url.URL{Scheme: target.Scheme, Host: target.Host, Path: target.Path, RawPath: target.RawPath}
	if htu.Path == "" {
		htu.Path = "/"
	}
	server := k.server(target)
	claims := struct {
		ID     string `json:"jti"`
		Method string `json:"htm"`
		Target string `json:"htu"`
		Issued int64  `json:"iat"`
		Hash   string `json:"ath,omitempty"`
		Nonce  string `json:"nonce,omitempty"`
	}{rand.Text(), method, htu.String(), time.Now().Add(server.ahead).Unix(), "", server.nonce}
	if !accessToken.IsZero() {
		sum := sha256.Sum256([]byte(accessToken.Reveal()))
		claims.Hash = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", errors.New("could not write a DPoP proof")
	}
	signed, err := k.signer.Sign(payload)
	if err != nil {
		return "", errors.New("could not sign a DPoP proof")
	}
	return signed.CompactSerialize()
}

// Challenged takes the nonce from an answer, and reports whether the request is
// to be sent again, with another proof: the server wants a nonce in it (RFC 9449
// sections 8 and 9), or has refused it, and its clock is not this machine's. It
// did not act on the request. Once is enough for one request.
func (k *DPoPKey) Challenged(status int, header http.Header, body []byte, target *url.URL) bool {
	return k.challenge(status, header, body, target) != ""
}

// challenge is Challenged with the word of the server for which the request is
// to be sent again; "": it is not.
func (k *DPoPKey) challenge(status int, header http.Header, body []byte, target *url.URL) string {
	said := ""
	if status == http.StatusBadRequest || status == http.StatusUnauthorized {
		said = refusalCode(body)
		for _, word := range []string{needsNonce, badProof} {
			if strings.Contains(header.Get("WWW-Authenticate"), word) {
				said = word
			}
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	known, again := k.servers[origin(target)], ""
	if nonce := header.Get("DPoP-Nonce"); isNonce(nonce) {
		known.nonce = nonce
		if said == needsNonce {
			again = said
		}
	}
	// Section 11.1 has servers accept proofs for a short time after they were
	// made. Whoever answers in a server's place gains nothing by a wrong date:
	// the proofs are for that server alone.
	if date, err := http.ParseTime(header.Get("Date")); err == nil && said == badProof {
		if ahead := time.Until(date); (ahead - known.ahead).Abs() > clockGrain {
			known.ahead, again = ahead, said
		}
	}
	if known == (proved{}) {
		return ""
	}
	if len(k.servers) >= maxProved {
		clear(k.servers)
	}
	k.servers[origin(target)] = known
	return again
}

// refusalCode is the error of a body, or "".
func refusalCode(body []byte) string {
	var members object
	if json.Unmarshal(body, &members) != nil {
		return ""
	}
	return members.text("error")
}

const (
	needsNonce = "use_dpop_nonce"
	badProof   = "invalid_dpop_proof"
	maxProved  = 64 // servers of which something is remembered
	maxNonce   = 1 << 10

	// clockGrain is by how much two clocks may differ and be called the same:
	// a date is in whole seconds, and the answer was on its way.
	clockGrain = 2 * time.Second
)

// server is what the server of an address wants.
func (k *DPoPKey) server(target *url.URL) proved {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.servers[origin(target)]
}

func origin(u *url.URL) string { return u.Scheme + "://" + strings.ToLower(u.Host) }

// isNonce is RFC 9449 section 8.1: nonce = 1*NQCHAR, which is %x21 / %x23-5B /
// %x5D-7E.
func isNonce(text string) bool {
	return isVisible(text, maxNonce) && !strings.ContainsAny(text, `"\`)
}

// WithDPoP returns a client whose requests to the token endpoint, and with
// access tokens, carry proofs of the key. Tokens that it gets are bound to the
// key, unless the server says otherwise ([Token.Bound]).
func (c *Client) WithDPoP(key *DPoPKey) *Client {
	proving := *c
	proving.dpop = key
	return &proving
}

// Bound reports whether a token can be used with a DPoP proof only (RFC 9449
// section 5: token_type is DPoP).
func (t *Token) Bound() bool { return strings.EqualFold(t.TokenType, "DPoP") }
