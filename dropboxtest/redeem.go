package dropboxtest

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"strings"
	"time"
)

// redeem exchanges an authorization code (RFC 6749 section 4.1.3).
func (d *Dropbox) redeem(form url.Values, app App, bySecret bool, now time.Time) (*tokenAnswer, *tokenError) {
	verifier := form.Get("code_verifier")
	if verifier == "" && !bySecret {
		return nil, invalidRequest(noAuthFunction)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	text := form.Get("code")
	c := d.codes[text]
	if c == nil || c.clientID != app.ClientID || expired(c.expires, now) {
		return nil, invalidGrant("code doesn't exist or has expired")
	}
	if form.Get("redirect_uri") != c.redirectURI {
		return nil, invalidGrant("redirect_uri mismatch")
	}
	if !c.verifiedBy(verifier) {
		if d.burnCode {
			delete(d.codes, text)
		}
		return nil, invalidGrant("invalid code verifier")
	}
	delete(d.codes, text)
	g := d.newGrant(grant{
		clientID:     c.clientID,
		accountID:    c.accountID,
		accessType:   c.accessType,
		confidential: bySecret,
		scopes:       c.scopes,
	}, now)
	answer := d.answer(g, g.scopes, now)
	answer.RefreshToken = g.refreshToken
	answer.Scope = strings.Join(g.scopes, " ")
	u := d.user(g.accountID)
	answer.UID = u.UID
	if app.TeamLink && u.Team != nil {
		answer.TeamID = u.Team.ID
	} else {
		answer.AccountID = u.AccountID
	}
	return answer, nil
}

// verifiedBy checks a code verifier (RFC 7636 section 4.6). A code that was
// asked for without a challenge is good only without a verifier, so that nobody
// can strip the challenge from the URL unnoticed.
func (c *code) verifiedBy(verifier string) bool {
	if c.challenge == "" || verifier == "" {
		return c.challenge == verifier
	}
	if !validVerifier(verifier) {
		return false
	}
	if c.method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		verifier = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(verifier), []byte(c.challenge)) == 1
}

// validVerifier reports whether s has the form of RFC 7636 section 4.1.
func validVerifier(s string) bool {
	return 43 <= len(s) && len(s) <= 128 && isUnreserved(s)
}

// answer mints an access token for a grant. The caller holds the lock.
func (d *Dropbox) answer(g *grant, scopes []string, now time.Time) *tokenAnswer {
	answer := &tokenAnswer{AccessToken: d.newAccess(g, scopes, now), TokenType: "bearer"}
	if g.accessType != accessLegacy {
		answer.ExpiresIn = int64(d.accessTTL / time.Second)
	}
	return answer
}
