package provider

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/authring/authring/secret"
)

// Account asks whose account the access token opens. Where the provider has no
// way to tell, the error is errors.ErrUnsupported.
func (c *Client) Account(ctx context.Context, accessToken secret.Secret) (Account, error) {
	api := c.api("look up the account", accessToken)
	ask := c.provider.Account
	switch {
	case ask != nil:
	case c.provider.UserinfoURL != "":
		ask = c.provider.userinfo
	default:
		return Account{}, api.unsupported()
	}
	account, err := ask(ctx, api, accessToken)
	if err != nil {
		return Account{}, api.wrap(err)
	}
	// The id becomes part of file contents and of names of keyring items.
	if !isVisible(account.ID, 255) {
		return Account{}, api.wrap(errors.New("the account has no usable id"))
	}
	// The rest is shown to people, on terminals that obey control characters.
	account.Email = clean(account.Email, nil)
	account.DisplayName = clean(account.DisplayName, nil)
	return account, nil
}

// userinfo reads the answer of UserinfoURL.
//
// OpenID Connect Core section 5.3.1: "It is RECOMMENDED that the request use
// the HTTP GET method and the Access Token be sent using the Authorization
// header field."
func (p *Provider) userinfo(ctx context.Context, api *API, token secret.Secret) (Account, error) {
	var members object
	if err := api.Do(ctx, http.MethodGet, p.UserinfoURL, token, nil, &members); err != nil {
		return Account{}, err
	}
	names := p.AccountFields
	return Account{
		ID:          members.name(names.ID, "sub"),
		Email:       members.name(names.Email, "email"),
		DisplayName: members.name(names.Name, "name"),
	}, nil
}

// name is a member that is a string, or, as identifiers are on some servers, a
// whole number.
func (o object) name(name, standard string) string {
	if name == "" {
		name = standard
	}
	if text := o.text(name); text != "" {
		return text
	}
	var number json.Number
	if json.Unmarshal(o[name], &number) == nil && strings.Trim(number.String(), "0123456789") == "" {
		return number.String()
	}
	return ""
}

// Check asks whether the access token works. Nil means that it does; the
// errors are those of the other calls. Where the provider has no way to tell,
// the error is errors.ErrUnsupported.
func (c *Client) Check(ctx context.Context, accessToken secret.Secret) error {
	api := c.api("check the access token", accessToken)
	switch {
	case c.provider.Check != nil:
		return api.wrap(c.provider.Check(ctx, api, accessToken))
	case c.provider.UserinfoURL != "":
		_, err := c.provider.userinfo(ctx, api, accessToken)
		return api.wrap(err)
	}
	return api.unsupported()
}

// Account is who a token belongs to. Only the ID is always set.
type Account struct {
	ID          string // stable, the provider's own
	Email       string
	DisplayName string
}

// AccountFields name the members of an answer that says whose a token is. An
// empty name is the one of OpenID Connect Core section 5.1: sub, email, name.
type AccountFields struct{ ID, Email, Name string }
