package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/authring/authring/secret"
)

// dropboxName is what records and files call it.
const dropboxName = "dropbox"

// DropboxURL is the environment variable that names the address of an emulator,
// which then takes the place of all of Dropbox.
const DropboxURL = "AUTHRING_DROPBOX_URL"

// InCode returns the provider of a name whose ways need code, so that no file
// describes it: Dropbox, or what the environment puts in its place. Of every
// other name it says that there is none. Without getenv the environment changes
// nothing.
func InCode(name string, getenv func(string) string) (p *Provider, ok bool, err error) {
	if name != dropboxName {
		return nil, false, nil
	}
	if getenv != nil {
		if address := getenv(DropboxURL); address != "" {
			p, err = DropboxAt(address)
			return p, true, err
		}
	}
	return Dropbox(), true, nil
}

// NamesInCode are the names that [InCode] knows.
func NamesInCode() []string { return []string{dropboxName} }

// Dropbox is the provider of www.dropbox.com.
func Dropbox() *Provider {
	return dropbox("https://www.dropbox.com", "https://api.dropboxapi.com",
		"api.dropboxapi.com", "content.dropboxapi.com", "notify.dropboxapi.com", "api.dropbox.com")
}

// DropboxAt is a Dropbox all of whose endpoints are below one address, such as
// an emulator. The address is https, or http on this machine.
func DropboxAt(base string) (*Provider, error) {
	base = strings.TrimRight(base, "/")
	u, err := parseEndpoint(base)
	if err != nil {
		return nil, fmt.Errorf("could not use another address for Dropbox: %w", err)
	}
	if u.RawQuery != "" || u.ForceQuery {
		return nil, errors.New("could not use another address for Dropbox: it must not hold a query")
	}
	p := dropbox(base, base, u.Host)
	for i, route := range p.TokenRoutes {
		p.TokenRoutes[i] = u.Path + route
	}
	return p, nil
}

func dropbox(web, api string, hosts ...string) *Provider {
	return &Provider{
		Name:  dropboxName,
		Title: "Dropbox",
		// Maestral's own: a public client, whose links can be shared.
		ClientID: "2jmbq42w7vof78h",
		AuthURL:  web + "/oauth2/authorize",
		TokenURL: api + "/oauth2/token",
		// Without it there is no refresh token.
		AuthParams: url.Values{"token_access_type": {"offline"}},
		// Without a redirect URI the page shows the code. With one, it must
		// be registered for the app, port and all.
		NoRedirectCode: true,
		ExactRedirect:  true,
		// Refresh tokens are not rotated, and do not expire by themselves.
		Replay:       ReplayReusable,
		NarrowsScope: true,
		// Dropbox gives one error code to several causes, and the text alone
		// tells them apart.
		Refusals: []Refusal{
			{Code: "invalid_grant", Contains: "code verifier", Kind: ErrVerifierMismatch},
			{Code: "invalid_grant", Contains: "redirect_uri", Kind: ErrRedirectMismatch},
			// To a grant that was made with the app's secret, and so of a
			// kind that this client cannot use.
			{Code: "invalid_request", Contains: "No auth function", Kind: ErrInvalidClient},
		},
		AccountIDField:  "account_id",
		TeamIDField:     "team_id",
		Hosts:           hosts,
		RequestIDHeader: "X-Dropbox-Request-Id",
		TokenVariable:   "DROPBOX_ACCESS_TOKEN",
		TokenRoutes:     []string{"/oauth2", "/1/oauth2", "/2/auth"},
		ManageURL:       web + "/account/connected_apps",
		Account: func(ctx context.Context, call *API, token secret.Secret) (Account, error) {
			var full struct {
				AccountID string `json:"account_id"`
				Email     string `json:"email"`
				Name      struct {
					DisplayName string `json:"display_name"`
				} `json:"name"`
			}
			err := call.Do(ctx, http.MethodPost, api+"/2/users/get_current_account", token, dropboxVoid, &full)
			return Account{ID: full.AccountID, Email: full.Email, DisplayName: full.Name.DisplayName}, err
		},
		Check: func(ctx context.Context, call *API, token secret.Secret) error {
			type echo struct {
				Query  string `json:"query,omitempty"`
				Result string `json:"result,omitempty"`
			}
			var heard echo
			if err := call.Do(ctx, http.MethodPost, api+"/2/check/user", token, echo{Query: "authring"}, &heard); err != nil {
				return err
			}
			if heard.Result != "authring" {
				return errors.New("it does not repeat what was asked")
			}
			return nil
		},
		Revoke: func(ctx context.Context, call *API, token secret.Secret) error {
			err := call.Do(ctx, http.MethodPost, api+"/2/auth/token/revoke", token, dropboxVoid, nil)
			if fault, ok := errors.AsType[*Error](err); ok &&
				fault.Status == http.StatusUnauthorized && fault.Code == "invalid_access_token" {
				return nil
			}
			return err
		},
		APIFault: dropboxFault,
	}
}

// dropboxVoid is the argument of a route that takes none.
var dropboxVoid = json.RawMessage("null")

// dropboxTags are the tags of AuthError (401) and AccessError (403) in the
// Dropbox API specification that say something of the token. A tag that is
// not here, and every other status, is no word on the token.
var dropboxTags = map[string]error{
	"expired_access_token": ErrExpiredToken,
	"invalid_access_token": ErrInvalidAccessToken,
	"missing_scope":        ErrMissingScope,
	"user_suspended":       ErrSuspended,
	"route_access_denied":  ErrMissingScope,
	"invalid_account_type": ErrMissingScope,
	"team_access_denied":   ErrMissingScope,
	"no_permission":        ErrMissingScope,
}

// dropboxFault reads the error answers of the Dropbox API. The text
// error_summary is not looked at: it ends in noise, different each time.
func dropboxFault(answer *Answer) Fault {
	if answer.Status == http.StatusBadRequest && mediaType(answer.Header) == "text/plain" {
		return dropboxBadInput(string(answer.Body))
	}
	var body struct {
		Error struct {
			Tag           string `json:".tag"`
			RequiredScope string `json:"required_scope"`
			Reason        struct {
				Tag string `json:".tag"`
			} `json:"reason"`
			RetryAfter float64 `json:"retry_after"`
		} `json:"error"`
	}
	if checkJSON(answer.Header) != nil || json.Unmarshal(answer.Body, &body) != nil {
		return Fault{Kind: ErrUnexpectedAnswer}
	}
	fault := Fault{Code: body.Error.Tag, Kind: ErrServerFault}
	switch answer.Status {
	case http.StatusTooManyRequests:
		fault.Code, fault.RetryAfter = body.Error.Reason.Tag, asDuration(body.Error.RetryAfter)
	case http.StatusUnauthorized, http.StatusForbidden:
		if kind, known := dropboxTags[body.Error.Tag]; known {
			fault.Kind = kind
		}
	}
	if body.Error.RequiredScope != "" {
		fault.Description = "it needs " + body.Error.RequiredScope
	}
	return fault
}

// dropboxBadInput reads an answer 400, which Dropbox writes as a sentence. Only
// sentences that are known are told on, in our words: the others may quote the
// request.
func dropboxBadInput(text string) Fault {
	switch {
	case strings.Contains(text, "does not have the required scope"):
		return Fault{Kind: ErrMissingScope, Description: "the app itself does not have the scope"}
	case strings.Contains(text, "access token is malformed"), strings.Contains(text, "Invalid authorization value"):
		return Fault{Kind: ErrInvalidAccessToken, Description: "this is not an access token"}
	}
	return Fault{Kind: ErrServerFault}
}
