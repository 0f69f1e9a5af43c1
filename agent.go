package authring

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/authring/authring/internal/agentclient"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// ErrRefused: the policy of the agent refuses this program. Its message says
// which rule.
var ErrRefused = errors.New("the agent refuses")

// WithAgent has [Session.Token] ask the agent of the user (authring agent) for
// tokens that are not in memory, so that many processes share one refresh, and
// this one needs not read the refresh token. The session does without, and
// makes its own refresh, where no agent runs, where it belongs to another
// environment, gives no answer, or cannot use the keyring; not where the agent
// says that nothing is linked, that the grant is revoked, that the provider
// could not be asked, or that its policy refuses ([ErrRefused]). No agent is
// started. All else that a session does is its own.
//
// The agent has keyrings, providers and files of its own choice: those of the
// environment. A session with another layout ([WithLayout]), or with another
// address of Dropbox than AUTHRING_DROPBOX_URL names, does without. The
// environment variable AUTHRING_AGENT is "off" to do without one everywhere, or
// names another socket.
func WithAgent() Option {
	return func(c *config) error { c.agent = true; return nil }
}

// fromAgent returns a token of the agent. Where agentclient.Fallback(err) holds,
// the session is to do it by itself.
func (s *Session) fromAgent(ctx context.Context, want TokenOption) (Token, error) {
	if want.narrow {
		scope, err := canonicalScope(want.scope)
		if err != nil {
			return Token{}, err
		}
		want.scope = scope
	}
	if want.narrow || want.fresh || want.minValid > 0 {
		token, err := s.askAgent(ctx, want)
		return token, s.agentError(err)
	}
	// Callers who want the usual share one question.
	err := s.asking.Do(ctx, func(ctx context.Context) error {
		_, err := s.askAgent(ctx, want)
		return err
	})
	if err != nil {
		return Token{}, s.agentError(err)
	}
	if c := s.cached.Load(); c != nil {
		return c.Token, nil
	}
	return Token{}, ErrNotLinked // ended in the same moment
}

// askAgent asks once, and keeps the token for others who want the whole scope.
func (s *Session) askAgent(ctx context.Context, want TokenOption) (Token, error) {
	address, err := agentclient.Locate(os.Getenv)
	if err != nil || !s.agentFits() {
		return Token{}, agentclient.ErrNoAgent
	}
	defer s.waitingForProvider()()
	ask := agentclient.Request{
		Config: s.name, App: s.config.app, Realm: address.Realm,
		MinValid: want.minValid, Fresh: want.fresh, Scope: strings.Join(want.scope, " "),
	}
	reply, err := agentclient.Token(ctx, address.Path, ask)
	if refused := s.refused.Load(); err == nil && refused != nil && refused.Equal(secret.New(reply.AccessToken)) {
		// The API refused it, which the agent cannot know.
		ask.Fresh = true
		reply, err = agentclient.Token(ctx, address.Path, ask)
	}
	if err != nil {
		return Token{}, err
	}
	if !strings.EqualFold(reply.TokenType, Bearer) {
		// The key that it is bound to stays in the agent.
		return Token{}, agentclient.ErrFailed
	}
	if reply.Provider != s.config.provider.Name {
		// Linked with another one since this session was opened. Its token is
		// not for the hosts that this session sends tokens to.
		return Token{}, agentclient.ErrFailed
	}
	left := time.Until(reply.ExpiresAt)
	if reply.ExpiresAt.IsZero() {
		left = 0
	} else if left <= 0 {
		return Token{}, agentclient.ErrFailed
	}
	if s.AccountID() != reply.AccountID && !address.Named {
		// Linked anew since this session was opened.
		if rec, err := s.reload(); err != nil || rec.AccountID != reply.AccountID {
			return Token{}, agentclient.ErrFailed
		}
	}
	c := s.newCached(&credentials{}, &provider.Token{
		AccessToken: secret.New(reply.AccessToken), ExpiresIn: left, Scope: reply.Scope,
	}, s.clock.Now())
	c.Expires = reply.ExpiresAt
	if !want.narrow {
		s.replace(c)
	}
	return c.Token, nil
}

// agentFits reports whether the agent's tokens are those of this session.
func (s *Session) agentFits() bool {
	if s.config.layout != nil {
		return false
	}
	theirs, known, err := provider.InCode(s.config.provider.Name, os.Getenv)
	return err == nil && (!known || s.config.provider.TokenURL == theirs.TokenURL)
}

// agentError makes what the agent reports one of the errors of a session.
func (s *Session) agentError(err error) error {
	var answer *agentclient.AgentError
	if !errors.As(err, &answer) {
		return err
	}
	kinds := map[string]error{
		"not-linked":        ErrNotLinked,
		"revoked":           ErrRevoked,
		"in-doubt":          ErrInDoubt,
		"connection-failed": ErrConnectionFailed,
		"validity-too-long": ErrValidityTooLong,
		"cannot-narrow":     ErrCannotNarrow,
		"invalid-token":     ErrInvalidToken,
		"too-often":         ErrConnectionFailed,
		"refused":           ErrRefused,
	}
	if kind := kinds[answer.Code]; kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}
