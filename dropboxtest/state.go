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
	scopes       []string
	created      time.Time

	number       uint64 // counts from 1
	refreshToken string // the newest
	generation   uint64 // of the newest; the first is 0
	rotations    []rotation

	redemptions, replays, reuses uint64

	ended   string // by what; empty while the grant stands
	endedAt time.Time
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
	d.lastNumber++
	g.number, g.created = d.lastNumber, now
	if g.accessType == accessOffline {
		g.refreshToken = d.seal.token(g.number, g.generation)
	}
	d.grants = append(d.grants, &g)
	d.numbered[g.number] = &g
	return &g
}

// newAccess mints an access token for a grant. The caller holds the lock.
func (d *Dropbox) newAccess(g *grant, scopes []string, now time.Time) string {
	a := &accessToken{grant: g, scopes: scopes}
	text := randomText(refreshLength) // long-lived tokens had no prefix
	if g.accessType != accessLegacy {
		text = "sl." + randomText(accessLength)
		a.expires = now.Add(d.accessTTL)
		d.forgetExpired(now)
		d.expiring = append(d.expiring, text)
	}
	d.access[text] = a
	return text
}

// maxExpiring bounds how many of the access tokens that expire are remembered
// when they have. One that is forgotten is as unknown as one that never was.
const maxExpiring = 10_000

// forgetExpired forgets the oldest access tokens when there are many, those
// that still work excepted. The caller holds the lock.
func (d *Dropbox) forgetExpired(now time.Time) {
	n := 0
	for len(d.expiring)-n >= maxExpiring {
		text := d.expiring[n]
		if a := d.access[text]; a != nil && !expired(a.expires, now) {
			break
		}
		delete(d.access, text)
		n++
	}
	d.expiring = slices.Delete(d.expiring, 0, n)
}

// endGrant ends a grant that stands with all of its tokens. Its counts are
// kept for a while. The caller holds the lock.
func (d *Dropbox) endGrant(g *grant, by string, now time.Time) {
	g.ended, g.endedAt = by, now
	g.refreshToken, g.rotations = "", nil
	if len(d.ended) >= maxEnded {
		delete(d.numbered, d.ended[0].number)
		d.ended = slices.Delete(d.ended, 0, 1)
	}
	d.ended = append(d.ended, g)
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
	return g.accessType == accessOffline || d.liveAccess(g, now) > 0
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
