package authring

import (
	"context"
	"errors"
	"fmt"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// whoAmI finds out whose credentials these are: it asks the provider, and reads
// the ID token, once that is validated. The two must agree. Where the provider
// cannot be asked, the account that it named with the token stands: a grant
// must not be lost because of a question that was answered before.
func (s *Session) whoAmI(ctx context.Context, verified *credentials) (provider.Account, error) {
	client, err := s.client(verified.appKey)
	if err != nil {
		return provider.Account{}, err
	}
	access, key, err := s.unbound(verified)
	if err != nil {
		return provider.Account{}, err
	}
	client = proves(client, key)
	defer s.waitingForProvider()()
	claimed, claimErr := s.claimed(ctx, client, verified, access)
	if errors.Is(claimErr, ErrInvalidToken) {
		return provider.Account{}, claimErr
	}
	account, err := client.Account(ctx, access)
	if err == nil {
		return account, s.agree(&account, claimed, verified.accountID)
	}
	named := claimed
	if named.ID == "" {
		named.ID = verified.accountID
	}
	unknown := errors.Is(err, errors.ErrUnsupported) || errors.Is(err, provider.ErrMissingScope)
	switch {
	case ctx.Err() != nil:
		return account, err
	case claimed.ID != "" && verified.accountID != "" && claimed.ID != verified.accountID:
		return account, otherAccount(verified.accountID, claimed.ID)
	case named.ID != "" && (unknown || errors.Is(err, ErrConnectionFailed)):
		s.config.logger.Debug("could not ask for the account", "config", s.name, "error", err)
		return named, nil
	case unknown && claimErr != nil:
		return account, fmt.Errorf("could not learn whose account it is: %w", claimErr)
	case unknown:
		// Nobody says whose it is, and it works all the same.
		return provider.Account{}, nil
	default:
		return account, fmt.Errorf("could not learn whose account it is: %w", err)
	}
}

// claimed is what the ID token says; nothing, where there is none that could be
// validated.
func (s *Session) claimed(ctx context.Context, client *provider.Client, verified *credentials, access secret.Secret) (provider.Account, error) {
	if verified.idToken.IsZero() {
		return provider.Account{}, nil
	}
	account, err := client.ValidateIDToken(ctx, verified.idToken, access, verified.nonce)
	if errors.Is(err, errors.ErrUnsupported) {
		return provider.Account{}, nil
	}
	if err != nil {
		s.config.logger.Debug("could not check the ID token", "config", s.name, "error", err)
	}
	return account, err
}

// agree holds the account that the provider told against the ones that came
// with the token, and adds what it did not tell.
//
// OpenID Connect Core section 5.3.2: "The sub Claim in the UserInfo Response
// MUST be verified to exactly match the sub Claim in the ID Token; if they do
// not match, the UserInfo Response values MUST NOT be used."
func (s *Session) agree(account *provider.Account, claimed provider.Account, named string) error {
	for _, id := range []string{named, claimed.ID} {
		if id != "" && id != account.ID {
			return otherAccount(id, account.ID)
		}
	}
	if account.Email == "" {
		account.Email = claimed.Email
	}
	if account.DisplayName == "" {
		account.DisplayName = claimed.DisplayName
	}
	return nil
}

func otherAccount(named, found string) error {
	return fmt.Errorf("%w: the token was given for %s and belongs to %s", ErrInvalidToken, named, found)
}
