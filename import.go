package authring

import (
	"context"
	"errors"
	"fmt"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// Grant is a grant that another program was given, and that a link is to share.
type Grant struct {
	// TokenAccessType tells what Secret is: a refresh token ([Offline]), or an
	// access token that does not expire ([Legacy]).
	TokenAccessType TokenAccessType
	Secret          secret.Secret
	// AppKey is the client identifier of that program. A refresh token can be
	// used with no other.
	AppKey string
	Scope  string // as far as it is known
	// AccountID is whose grant it is said to be; empty if nobody says so.
	AccountID string
	// Email and DisplayName are for a grant that is not verified.
	Email, DisplayName string
	// Unverified has the provider not be asked whether the grant is valid and
	// whose it is. AccountID must be set then.
	Unverified bool
	// From names the other program, for the history.
	From string
}

// Import links with a grant that another program has. It asks the provider
// whether the grant is valid and whose it is, and then saves it as
// [Session.SaveCreds] does: a link that exists is replaced, and its grant
// revoked unless it is the same; another account is refused unless
// [WithSwitchAccount] allows it.
//
// The other program keeps what it has. One grant has two holders then, and
// ends for both when either of them revokes it, as [Session.Unlink] does. Where
// the provider replaces refresh tokens at their use, two holders would end the
// grant by using it, so that refresh tokens of such a provider are refused.
//
// Nothing is ever revoked when an import fails. The errors are those of
// SaveCreds; [ErrRevoked] when the provider refuses the refresh token;
// [ErrInvalidToken] when it refuses the access token; a [*GrantOwnerError] when
// it names another account; and [ErrConnectionFailed] when it cannot be asked.
func (s *Session) Import(ctx context.Context, g Grant) (Saved, error) {
	if err := s.checkGrant(g); err != nil {
		return Saved{}, err
	}
	imported := &credentials{accountID: g.AccountID, kind: g.TokenAccessType, scope: g.Scope, appKey: g.AppKey}
	if g.TokenAccessType == Legacy {
		imported.access = g.Secret
	} else {
		imported.refresh = g.Secret
	}
	account := provider.Account{ID: g.AccountID, Email: g.Email, DisplayName: g.DisplayName}
	if !g.Unverified {
		var err error
		if account, err = s.verify(ctx, imported); err != nil {
			return Saved{}, ended(ctx, fmt.Errorf("could not import the grant: %w", err))
		}
	}
	detail := ""
	if g.From != "" {
		detail = "imported from " + g.From
	}
	return s.saveAs(ctx, imported, account, detail)
}

// GrantOwnerError reports that a grant works, and is of another account than
// [Grant] says. It is an [ErrInvalidToken].
type GrantOwnerError struct {
	Named string // the account of the Grant
	Owner string // the one that the provider names
}

// Error names both accounts.
func (e *GrantOwnerError) Error() string {
	return fmt.Sprintf("it is said to be of %s and belongs to %s", e.Named, e.Owner)
}

// Unwrap returns [ErrInvalidToken].
func (e *GrantOwnerError) Unwrap() error { return ErrInvalidToken }

// checkGrant finds what cannot become a link, before anybody is asked.
func (s *Session) checkGrant(g Grant) error {
	s.mu.Lock()
	waiting := s.verified != nil
	s.mu.Unlock()
	switch {
	case waiting:
		return errors.New("could not import a grant: another one waits to be saved; save or discard it")
	case g.Secret.IsZero():
		return fmt.Errorf("could not import a grant: %w", ErrNoCredentials)
	case g.TokenAccessType != Legacy && g.TokenAccessType != Offline:
		return fmt.Errorf("could not import a grant: its token access type %q is unknown", g.TokenAccessType)
	case g.TokenAccessType == Offline && g.AppKey == "":
		return errors.New("could not import a grant: a refresh token can be used with its app key only, which is not given")
	case g.TokenAccessType == Offline && s.config.provider.Replay != provider.ReplayReusable:
		return fmt.Errorf("could not import a grant: %s replaces a refresh token when it is used, so that two programs would end the grant of each other; link anew", s.config.provider.Title)
	case g.Unverified && g.AccountID == "":
		return errors.New("could not import a grant: whose it is must be known, or be asked for")
	}
	return nil
}

// verify asks the provider whether a grant is valid, and whose it is.
func (s *Session) verify(ctx context.Context, imported *credentials) (provider.Account, error) {
	client, err := s.client(imported.appKey)
	if err != nil {
		return provider.Account{}, err
	}
	if err := s.unlockClientSecret(ctx); err != nil {
		return provider.Account{}, err
	}
	defer s.waitingForProvider()()
	if imported.kind == Offline {
		sent := s.clock.Now()
		token, err := client.Refresh(ctx, imported.refresh, nil)
		if errors.Is(err, provider.ErrRevoked) {
			return provider.Account{}, fmt.Errorf("%w: %w", ErrRevoked, err)
		}
		if err != nil {
			return provider.Account{}, err
		}
		if !token.RefreshToken.IsZero() {
			imported.refresh = token.RefreshToken
		}
		if token.Scope != "" {
			imported.scope = token.Scope
		}
		imported.access, imported.ends = token.AccessToken, sent+token.ExpiresIn
	}
	account, err := client.Account(ctx, imported.access)
	named := imported.accountID
	if errors.Is(err, provider.ErrMissingScope) && named != "" {
		// It may not tell whose it is, and works.
		account, err = provider.Account{ID: named}, client.Check(ctx, imported.access)
	}
	if err == nil && named != "" && account.ID != named {
		err = &GrantOwnerError{Named: named, Owner: account.ID}
	}
	return account, err
}
