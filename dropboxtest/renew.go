package dropboxtest

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// renew redeems a refresh token (RFC 6749 section 6).
func (d *Dropbox) renew(form url.Values, app App, bySecret bool, now time.Time) (*tokenAnswer, *tokenError) {
	text := form.Get("refresh_token")
	if text == "" {
		return nil, invalidRequest(`missing required field "refresh_token"`)
	}
	if len(text) != refreshLength || !isBase64URL(text) {
		return nil, invalidGrant("refresh token is malformed")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	g, generation := d.grantOf(text)
	if g == nil || g.clientID != app.ClientID {
		return nil, invalidRefresh()
	}
	if g.confidential && !bySecret {
		return nil, invalidRequest(noAuthFunction)
	}
	successor, good := d.present(g, generation, now)
	if !good {
		return nil, invalidRefresh()
	}
	scopes := g.scopes
	asked := strings.Fields(form.Get("scope"))
	if len(asked) > 0 {
		scopes = slices.Compact(slices.Sorted(slices.Values(asked)))
		for _, s := range scopes {
			if !slices.Contains(g.scopes, s) {
				return nil, &tokenError{"invalid_scope", "the scope exceeds what the user granted"}
			}
		}
	}
	answer := d.answer(g, scopes, now)
	if len(asked) > 0 {
		answer.Scope = strings.Join(scopes, " ")
	}
	switch {
	case successor != "":
		g.replays++
		answer.RefreshToken = successor
	case d.rotate:
		g.redemptions++
		answer.RefreshToken = d.rotateToken(g, now)
	default:
		g.redemptions++
	}
	return answer, nil
}

func invalidRefresh() *tokenError { return invalidGrant("refresh token is invalid or revoked") }

// grantOf returns the grant of a refresh token, which may have ended, or nil,
// and which of its tokens it is. The caller holds the lock.
func (d *Dropbox) grantOf(refreshToken string) (*grant, uint64) {
	number, generation, ok := d.seal.open(refreshToken)
	if !ok {
		return nil, 0
	}
	return d.numbered[number], generation
}

// present reports whether a refresh token of a grant is good. For a used one that
// the window still covers it returns the token that took its place. It ends the
// grant when a used one comes back after that, if told to:
//
//	"If a refresh token is compromised and subsequently used by both the
//	attacker and the legitimate client, one of them will present an
//	invalidated refresh token, which will inform the authorization server of
//	the breach. The authorization server cannot determine which party
//	submitted the invalid refresh token, but it will revoke the active
//	refresh token." (RFC 9700 section 4.14.2)
//
// The access tokens end with it. The caller holds the lock.
func (d *Dropbox) present(g *grant, generation uint64, now time.Time) (successor string, good bool) {
	if generation == g.generation {
		return "", g.ended == ""
	}
	if r, kept := g.rotationOf(generation); kept && g.ended == "" && now.Before(r.at.Add(d.grace)) {
		return r.successor, true
	}
	g.reuses++
	if d.detectReuse && g.ended == "" {
		d.endGrant(g, endedByReuse, now)
	}
	return "", false
}

// rotation is what is remembered of a redeemed refresh token while the window
// covers it.
type rotation struct {
	at        time.Time
	successor string
}

// rotateToken puts a new refresh token in the place of the newest. The caller
// holds the lock.
func (d *Dropbox) rotateToken(g *grant, now time.Time) string {
	g.generation++
	g.refreshToken = d.seal.token(g.number, g.generation)
	covered := slices.IndexFunc(g.rotations, func(r rotation) bool { return now.Before(r.at.Add(d.grace)) })
	if covered < 0 {
		covered = len(g.rotations)
	}
	g.rotations = append(slices.Delete(g.rotations, 0, covered), rotation{now, g.refreshToken})
	return g.refreshToken
}

// rotationOf returns what is remembered of a used token. The last entry is that
// of the token before the newest.
func (g *grant) rotationOf(generation uint64) (rotation, bool) {
	age := g.generation - generation
	if age > uint64(len(g.rotations)) {
		return rotation{}, false
	}
	return g.rotations[len(g.rotations)-int(age)], true
}
