package provider

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/authring/authring/secret"
)

// ErrIDToken: the ID token is not what it must be, and nothing that came with
// it is used. It is an [ErrInvalidToken].
var ErrIDToken = refine(ErrInvalidToken, "the ID token is not valid")

const (
	maxIDToken = 64 << 10
	maxKeys    = 100 // of a server, that are looked at
)

// idTokenAlgs are the signatures that are understood: those for which the
// server's public keys are enough.
var idTokenAlgs = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512,
	oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// ValidateIDToken holds an ID token against OpenID Connect Core section 3.1.3.7
// and returns whose it is: its signature by the keys at the provider's JWKSURL,
// issuer, audience, expiry, the nonce of the authorization request (none: it had
// none), and, where it has at_hash, the access token that it came with (section
// 3.1.3.8). Nothing of a token that fails is returned.
//
// The errors are [ErrIDToken], an [ErrConnectionFailed] where the keys cannot be
// had, and errors.ErrUnsupported where the provider has no Issuer or no JWKSURL.
func (c *Client) ValidateIDToken(ctx context.Context, idToken, accessToken secret.Secret, nonce string) (Account, error) {
	const op = "check the ID token"
	if c.provider.Issuer == "" || c.provider.JWKSURL == "" {
		return Account{}, c.api(op, idToken).unsupported()
	}
	keys, err := c.serverKeys(ctx, op)
	if err != nil {
		return Account{}, err
	}
	account, err := c.validate(ctx, keys, idToken, accessToken, nonce)
	if err != nil {
		return Account{}, &Error{Op: op, Kind: ErrIDToken, Sent: true, Err: errors.New(clean(err.Error(), []secret.Secret{idToken, accessToken}))}
	}
	return account, nil
}

func (c *Client) validate(ctx context.Context, keys []crypto.PublicKey, idToken, accessToken secret.Secret, nonce string) (Account, error) {
	if !isVisible(idToken.Reveal(), maxIDToken) {
		return Account{}, errors.New("it is longer than any, or holds characters that none has")
	}
	if strings.Count(idToken.Reveal(), ".") != 2 || strings.HasPrefix(idToken.Reveal(), "{") {
		// RFC 7519 section 1: "JWTs are always represented using the JWS
		// Compact Serialization or the JWE Compact Serialization."
		return Account{}, errors.New("it is not of three parts")
	}
	verifier := oidc.NewVerifier(c.provider.Issuer, &oidc.StaticKeySet{PublicKeys: keys}, &oidc.Config{
		ClientID: c.appKey, SupportedSigningAlgs: idTokenAlgs,
	})
	token, err := verifier.Verify(ctx, idToken.Reveal())
	var expired *oidc.TokenExpiredError
	if errors.As(err, &expired) {
		return Account{}, errors.New("it has expired, or the clock of this machine is wrong")
	}
	if err != nil {
		return Account{}, err
	}
	var claims object
	if err := token.Claims(&claims); err != nil {
		return Account{}, errors.New("its claims are not a JSON object")
	}
	switch party := claims.text("azp"); {
	case token.Nonce != nonce && nonce != "":
		return Account{}, errors.New("its nonce is not that of the authorization request")
	case claims["azp"] != nil && party != c.appKey:
		// Section 2: azp, "If present, it MUST contain the OAuth 2.0 Client
		// ID of this party."
		return Account{}, errors.New("it was given to another program")
	case len(token.Audience) > 1 && party == "":
		// Section 3.1.3.7: "If the ID Token contains multiple audiences, the
		// Client SHOULD verify that an azp Claim is present."
		return Account{}, errors.New("it is for several programs, and does not say which of them it was given to")
	case !isVisible(token.Subject, 255):
		return Account{}, errors.New("its subject is none")
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(accessToken.Reveal()); err != nil {
			return Account{}, errors.New("it came with another access token")
		}
	}
	names := c.provider.AccountFields
	account := Account{
		ID:          claims.name(names.ID, "sub"),
		Email:       clean(claims.name(names.Email, "email"), nil),
		DisplayName: clean(claims.name(names.Name, "name"), nil),
	}
	if !isVisible(account.ID, 255) {
		return Account{}, errors.New("it does not say whose it is")
	}
	return account, nil
}

// serverKeys are the keys that the server signs with (RFC 7517 section 5).
func (c *Client) serverKeys(ctx context.Context, op string) ([]crypto.PublicKey, error) {
	var keys []crypto.PublicKey
	again := func(fault *Error, _ time.Duration) bool { return transient(fault) }
	err := c.retry(ctx, again, func(bound time.Duration) *Error {
		answer, fault := c.send(ctx, message{op: op, method: http.MethodGet, url: c.provider.JWKSURL}, bound)
		if fault != nil {
			return fault
		}
		if keys, fault = readKeys(answer); fault != nil {
			fault.Op, fault.Status, fault.Sent = op, answer.Status, true
			return fault
		}
		return nil
	})
	return keys, err
}

// readKeys reads a JWK Set. RFC 7517 section 5: "Implementations SHOULD ignore
// JWKs within a JWK Set that use "kty" (key type) values that are not
// understood by them, that are missing required members, or for which values
// are out of the supported ranges."
func readKeys(answer *Answer) ([]crypto.PublicKey, *Error) {
	if fault := readTrouble(answer, nil); fault != nil {
		return nil, fault
	}
	if answer.Status != http.StatusOK {
		return nil, unexpected(errors.New("there are no keys"))
	}
	members, err := readObject(answer)
	if err != nil {
		return nil, unexpected(err)
	}
	var set []json.RawMessage
	if json.Unmarshal(members["keys"], &set) != nil {
		return nil, unexpected(errors.New("it holds no list of keys"))
	}
	var keys []crypto.PublicKey
	for _, raw := range set[:min(len(set), maxKeys)] {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) != nil || !key.Valid() || key.Use != "" && key.Use != "sig" {
			continue
		}
		switch key.Key.(type) {
		case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
			keys = append(keys, key.Key)
		}
	}
	if len(keys) == 0 {
		return nil, unexpected(errors.New("it holds no key that could have signed anything"))
	}
	return keys, nil
}
