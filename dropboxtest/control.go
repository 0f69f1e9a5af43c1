package dropboxtest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Approve does what the user who is signed in does by opening authURL and
// clicking Allow, and returns the authorization code. The host of authURL does
// not matter. A page that would refuse the request gives an error with its
// reason. It is not among [Dropbox.Requests].
func (d *Dropbox) Approve(authURL string) (string, error) {
	u, err := url.Parse(authURL)
	if err != nil {
		return "", errors.New("could not read the authorize URL")
	}
	if u.Path != "/oauth2/authorize" && u.Path != "/1/oauth2/authorize" {
		return "", fmt.Errorf("could not approve: %q is not the path of the authorize page", u.Path)
	}
	request, problem := d.parseAuthorize(u.RawQuery)
	if problem != "" {
		return "", fmt.Errorf("could not approve: the authorize page says %s", problem)
	}
	if request.responseType != responseCode {
		return "", errors.New("could not approve: the request is not for a code")
	}
	return d.approveCode(request, d.User().AccountID, d.clock()), nil
}

// User returns the user who is signed in.
func (d *Dropbox) User() User {
	d.mu.Lock()
	defer d.mu.Unlock()
	return *d.user(d.signedIn)
}

// SetUser signs a user in: a new one, or one who is known by the account id and
// takes the new values. It returns the user with all fields filled in.
func (d *Dropbox) SetUser(u User) User {
	u = u.completed()
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.user(u.AccountID); known != nil {
		*known = u
	} else {
		d.users = append(d.users, u)
	}
	d.signedIn = u.AccountID
	return u
}

// SignIn signs in a user who is known. It panics when nobody has the account id.
func (d *Dropbox) SignIn(accountID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.signedIn = d.mustUser(accountID).AccountID
}

// Suspend suspends a user, or ends the suspension. It panics when nobody has
// the account id.
func (d *Dropbox) Suspend(accountID string, suspended bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mustUser(accountID).Suspended = suspended
}

// Revoke does what a user does who disconnects the app on Dropbox's site: it
// ends all grants of the account and returns how many there were.
func (d *Dropbox) Revoke(accountID string) int {
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, g := range slices.Clone(d.grants) {
		if g.accountID == accountID {
			d.endGrant(g, endedByUser, now)
			n++
		}
	}
	return n
}

// ExpireAccessTokens makes all access tokens that expire do so now.
func (d *Dropbox) ExpireAccessTokens() {
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.access {
		if !a.expires.IsZero() && now.Before(a.expires) {
			a.expires = now
		}
	}
}

// RefreshToken mints a grant of the first app for an account, as if linked by
// PKCE, and returns its refresh token. It panics when nobody has the account id.
func (d *Dropbox) RefreshToken(accountID string) string {
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mint(accountID, accessOffline, now).refreshToken
}

// LegacyToken mints a long-lived access token of the first app for an account,
// as apps got until 2021, whether or not the app may still have them. It panics
// when nobody has the account id.
func (d *Dropbox) LegacyToken(accountID string) string {
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	g := d.mint(accountID, accessLegacy, now)
	return d.newAccess(g, g.scopes, now)
}

func (d *Dropbox) mint(accountID, accessType string, now time.Time) *grant {
	app := d.apps[0]
	return d.newGrant(grant{
		clientID:   app.ClientID,
		accountID:  d.mustUser(accountID).AccountID,
		accessType: accessType,
		scopes:     slices.Sorted(slices.Values(app.Scopes)),
	}, now)
}

func (d *Dropbox) mustUser(accountID string) *User {
	u := d.user(accountID)
	if u == nil {
		panic("dropboxtest: no user has the account id " + accountID)
	}
	return u
}

// Grant is what is known of a live grant. It holds no token.
type Grant struct {
	ClientID   string
	AccountID  string
	AccessType string // offline, online or legacy
	Scopes     []string
	Created    time.Time
	// AccessTokens counts the access tokens of the grant that work.
	AccessTokens int
}

// String gives the grant in one line.
func (g Grant) String() string {
	return fmt.Sprintf("%s grant of %s to %s (%s), %d access tokens",
		g.AccessType, g.AccountID, g.ClientID, strings.Join(g.Scopes, " "), g.AccessTokens)
}

// Grants returns the grants that still have a token which works, oldest first.
func (d *Dropbox) Grants() []Grant {
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Grant
	for _, g := range d.grants {
		if d.live(g, now) {
			out = append(out, Grant{
				ClientID:     g.clientID,
				AccountID:    g.accountID,
				AccessType:   g.accessType,
				Scopes:       slices.Clone(g.scopes),
				Created:      g.created,
				AccessTokens: d.liveAccess(g, now),
			})
		}
	}
	return out
}
