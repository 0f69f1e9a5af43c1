package authring

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// The types of access tokens, as [Token] tells them.
const (
	// Bearer: whoever has the token can use it (RFC 6750).
	Bearer = "Bearer"
	// DPoP: each use takes a proof by a key (RFC 9449), which is in the keyring
	// beside the refresh token and is handed to nobody. [Session.Client] and
	// [Session.Authorize] make the proofs.
	DPoP = "DPoP"
)

// boundPrefix begins what the keyring holds for a token that is bound to a key:
// the prefix, the key as a JSON Web Key (RFC 7517), a space, and the token. One
// item holds both, so that a process that is killed cannot part them. No token
// has a space in it (RFC 6749 appendix A), and so none looks like this.
const boundPrefix = "dpop+jwk "

// bind is what the keyring is to hold for a token and the key that it is bound
// to; nil: none.
func bind(token secret.Secret, key *provider.DPoPKey) secret.Secret {
	if key == nil || token.IsZero() {
		return token
	}
	return secret.New(boundPrefix + key.Text().Reveal() + " " + token.Reveal())
}

// unbind takes apart what the keyring holds. The same key is returned for the
// same text, with the nonces that it has learned.
func (s *Session) unbind(held secret.Secret) (token secret.Secret, key *provider.DPoPKey, err error) {
	before, rest, spaced := strings.Cut(held.Reveal(), " ")
	if !spaced {
		return held, nil, nil
	}
	text, value, whole := strings.Cut(rest, " ")
	if before+" " != boundPrefix || !whole || value == "" || strings.Contains(value, " ") {
		return secret.Secret{}, nil, fmt.Errorf("could not use the secret of %q: the keyring holds it in a form that this version does not know", s.name)
	}
	if key = s.proving.Load(); key == nil || !key.Text().Equal(secret.New(text)) {
		if key, err = provider.ParseDPoPKey(secret.New(text)); err != nil {
			return secret.Secret{}, nil, fmt.Errorf("could not use the secret of %q: %w", s.name, err)
		}
		s.proving.Store(key)
	}
	return secret.New(value), key, nil
}

// proofKey is the key for a link that is to be made; nil where the provider
// takes no proofs.
func (s *Session) proofKey() (*provider.DPoPKey, error) {
	if !s.config.provider.DPoP() {
		return nil, nil
	}
	return provider.NewDPoPKey()
}

// proves is a client that shows that it has a key, if there is one.
func proves(client *provider.Client, key *provider.DPoPKey) *provider.Client {
	if key == nil {
		return client
	}
	return client.WithDPoP(key)
}

// unbound takes apart the access token of a grant, which is as the keyring has
// it for a legacy one.
func (s *Session) unbound(c *credentials) (secret.Secret, *provider.DPoPKey, error) {
	if c.kind == Legacy {
		return s.unbind(c.access)
	}
	return c.access, c.key, nil
}

// errOtherKey: the page of a link was bound to a key (RFC 9449 section 10) that
// went with the process that began it.
var errOtherKey = errors.New("the code is bound to a key that only the process that began the link has; begin it anew")

// Authorize adds an access token of [Session.Token] to a request for one of the
// provider's own hosts: with the header Authorization, and for a token of type
// [DPoP] with a proof that is good for this request alone. The error is about a
// host that the token is not for. [Session.Client] does this by itself, and what
// the server may ask for besides: see [Session.Challenged].
func (s *Session) Authorize(req *http.Request, token Token) error {
	if err := s.mayHave(req.URL); err != nil {
		return err
	}
	if token.key != nil {
		return token.key.Authorize(req, token.AccessToken)
	}
	req.Header.Set("Authorization", Bearer+" "+token.AccessToken.Reveal())
	return nil
}

// mayHave keeps access tokens from hosts that are not the provider's.
func (s *Session) mayHave(u *url.URL) error {
	if !s.config.provider.Serves(u) {
		return fmt.Errorf("the access token of %s is not sent to %s", s.config.provider.Title, u.Host)
	}
	return nil
}

// Challenged takes note of what the answer to a request of [Session.Authorize]
// says of nonces, and reports whether the server wants the same request again,
// authorized anew (RFC 9449 section 9). Ask it about every answer, and send a
// request again once.
func (s *Session) Challenged(resp *http.Response, token Token) bool {
	if token.key == nil || resp.Request == nil {
		return false
	}
	return token.key.Challenged(resp.StatusCode, resp.Header, nil, resp.Request.URL)
}
