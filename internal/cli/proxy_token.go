package cli

import (
	"context"
	"net/http"

	"github.com/authring/authring"
	"github.com/authring/authring/internal/proxy"
	"github.com/authring/authring/secret"
)

// renewer gives out the tokens of a session, and replaces those that the
// provider has refused, once for all who were refused the same.
type renewer struct {
	session *authring.Session
	one     chan struct{} // held by who replaces a token
}

func newRenewer(s *authring.Session) *renewer {
	return &renewer{session: s, one: make(chan struct{}, 1)}
}

// token returns a token other than refused, which may be empty.
func (r *renewer) token(ctx context.Context, refused secret.Secret) (proxy.Token, error) {
	if refused.IsZero() {
		return r.shown(r.session.Token(ctx))
	}
	select {
	case r.one <- struct{}{}:
		defer func() { <-r.one }()
	case <-ctx.Done():
		return proxy.Token{}, context.Cause(ctx)
	}
	token, err := r.session.Token(ctx)
	if err == nil && token.AccessToken.Equal(refused) {
		token, err = r.session.Token(ctx, authring.Fresh())
	}
	return r.shown(token, err)
}

// shown is a token as the proxy shows it: one that is bound to a key with a proof
// that the session makes, as the key is for nobody else.
func (r *renewer) shown(token authring.Token, err error) (proxy.Token, error) {
	if err != nil || token.TokenType != authring.DPoP {
		return proxy.Token{Text: token.AccessToken}, err
	}
	return proxy.Token{
		Text:       token.AccessToken,
		Authorize:  func(req *http.Request) error { return r.session.Authorize(req, token) },
		Challenged: func(resp *http.Response) bool { return r.session.Challenged(resp, token) },
	}, nil
}
