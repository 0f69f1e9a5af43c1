package cli

import (
	"context"

	"github.com/authring/authring"
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
func (r *renewer) token(ctx context.Context, refused secret.Secret) (secret.Secret, error) {
	if refused.IsZero() {
		token, err := r.session.Token(ctx)
		if err == nil {
			err = mustBeBearer(token, "the proxy")
		}
		return token.AccessToken, err
	}
	select {
	case r.one <- struct{}{}:
		defer func() { <-r.one }()
	case <-ctx.Done():
		return secret.Secret{}, context.Cause(ctx)
	}
	token, err := r.session.Token(ctx)
	if err == nil && token.AccessToken.Equal(refused) {
		token, err = r.session.Token(ctx, authring.Fresh())
	}
	return token.AccessToken, err
}
