package dropboxtest

import (
	"slices"
	"time"
)

// Values of token_access_type.
const (
	accessOffline = "offline"
	accessOnline  = "online"
	accessLegacy  = "legacy"
)

// code is an authorization code that was not redeemed yet. What is spent or
// revoked is forgotten, as Dropbox does not tell it from what never was.
type code struct {
	clientID    string
	accountID   string
	redirectURI string // empty when the person copies the code
	challenge   string // empty without PKCE
	method      string
	accessType  string
	scopes      []string
	expires     time.Time
}

// grant is what a user allowed an app, with the tokens that come from it.
type grant struct {
	clientID     string
	accountID    string
	accessType   string
	confidential bool // minted with a client secret
	refreshToken string
	scopes       []string
	created      time.Time
}

type accessToken struct {
	grant   *grant
	scopes  []string
	expires time.Time // zero for never
}

// issueCode remembers a new code and returns it.
func (d *Dropbox) issueCode(c code, now time.Time) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for text, old := range d.codes {
		if expired(old.expires, now) {
			delete(d.codes, text)
		}
	}
	c.expires = now.Add(d.codeTTL)
	text := randomText(codeLength)
	d.codes[text] = &c
	return text
}

// newGrant records a grant. The caller holds the lock.
func (d *Dropbox) newGrant(g grant, now time.Time) *grant {
	g.created = now
	if g.accessType == accessOffline {
		g.refreshToken = randomText(refreshLength)
		d.refresh[g.refreshToken] = &g
	}
	d.grants = append(d.grants, &g)
	return &g
}

// newAccess mints an access token for a grant. The caller holds the lock.
func (d *Dropbox) newAccess(g *grant, scopes []string, now time.Time) string {
	a := &accessToken{grant: g, scopes: scopes}
	text := randomText(refreshLength) // long-lived tokens had no prefix
	if g.accessType != accessLegacy {
		text = "sl." + randomText(accessLength)
		a.expires = now.Add(d.accessTTL)
	}
	d.access[text] = a
	return text
}

// endGrant forgets a grant and all of its tokens. The caller holds the lock.
func (d *Dropbox) endGrant(g *grant) {
	delete(d.refresh, g.refreshToken)
	for text, a := range d.access {
		if a.grant == g {
			delete(d.access, text)
		}
	}
	if i := slices.Index(d.grants, g); i >= 0 {
		d.grants = slices.Delete(d.grants, i, i+1)
	}
}

// approvedScopes returns the scopes of the live grants of a user for an app,
// sorted, and whether there are any grants. The caller holds the lock.
func (d *Dropbox) approvedScopes(clientID, accountID string, now time.Time) ([]string, bool) {
	var scopes []string
	found := false
	for _, g := range d.grants {
		if g.clientID == clientID && g.accountID == accountID && d.live(g, now) {
			scopes = append(scopes, g.scopes...)
			found = true
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes), found
}

// live reports whether a grant has a token left that works. The caller holds
// the lock.
func (d *Dropbox) live(g *grant, now time.Time) bool {
	return g.refreshToken != "" || d.liveAccess(g, now) > 0
}

// liveAccess counts the access tokens of a grant that work. The caller holds
// the lock.
func (d *Dropbox) liveAccess(g *grant, now time.Time) int {
	n := 0
	for _, a := range d.access {
		if a.grant == g && !expired(a.expires, now) {
			n++
		}
	}
	return n
}
