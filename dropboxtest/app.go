package dropboxtest

import "strings"

// DefaultClientID is the app key of Maestral, the app of an emulator without
// options.
const DefaultClientID = "2jmbq42w7vof78h"

// App is a client that is registered with the emulator.
type App struct {
	// ClientID is the app key.
	ClientID string
	// Secret is the app secret. An app without one is a public client, which
	// redeems its codes by PKCE only.
	Secret string
	// Name is what the consent page calls the app.
	Name string
	// RedirectURIs are compared byte for byte with redirect_uri: Dropbox does
	// not let the port of a loopback address vary, unlike RFC 8252 section 7.3.
	RedirectURIs []string
	// Scopes are all that the app may ask for, and what it gets when it asks
	// for none in particular.
	Scopes []string
	// AllowLegacy lets the app have long-lived access tokens, which is then
	// also what it gets when it names no token_access_type.
	AllowLegacy bool
	// Unscoped makes this an app from before scopes: it must not ask for any,
	// its tokens name none, and every route is open to them.
	Unscoped bool
	// TeamLink makes this a team app: it is linked to the team of the user, and
	// its token answer has a team_id instead of an account_id.
	TeamLink bool
}

// DefaultApp returns the app of an emulator without options: Maestral, a public
// client with Dropbox's usual scopes and no redirect URI. Change the copy and
// hand it to [WithApp] to have it otherwise.
func DefaultApp() App {
	return App{
		ClientID: DefaultClientID,
		Name:     "Maestral",
		Scopes: []string{
			"account_info.read",
			"files.content.read", "files.content.write",
			"files.metadata.read", "files.metadata.write",
			"sharing.read", "sharing.write",
		},
	}
}

// confidential reports whether the app authenticates by a secret.
func (a App) confidential() bool { return a.Secret != "" }

// title is what pages call the app.
func (a App) title() string {
	if strings.TrimSpace(a.Name) == "" {
		return a.ClientID
	}
	return a.Name
}

// scopeText says in plain words what a scope allows.
func scopeText(scope string) string {
	switch scope {
	case "account_info.read":
		return "See your name and email address"
	case "account_info.write":
		return "Change your account, such as its photo"
	case "files.metadata.read":
		return "See names and dates of files"
	case "files.metadata.write":
		return "Change properties of files"
	case "files.content.read":
		return "Read your files"
	case "files.content.write":
		return "Create, change and delete files"
	case "sharing.read":
		return "See what you share, and with whom"
	case "sharing.write":
		return "Share files, and stop sharing them"
	case "file_requests.read":
		return "See your file requests"
	case "file_requests.write":
		return "Create and change your file requests"
	case "contacts.read":
		return "See your contacts"
	case "contacts.write":
		return "Change your contacts"
	case "openid":
		return "Confirm who you are"
	case "email":
		return "See your email address"
	case "profile":
		return "See your name"
	}
	return "Use what this permission names"
}
