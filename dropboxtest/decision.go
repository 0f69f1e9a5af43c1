package dropboxtest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// allow answers what a request asked for: the code on a page, or a redirect.
func (d *Dropbox) allow(w http.ResponseWriter, a authorization, accountID string, now time.Time) {
	if a.responseType == responseToken {
		d.allowImplicit(w, a, accountID, now)
		return
	}
	text := d.approveCode(a, accountID, now)
	if !a.redirected {
		d.pages.code(w, a, text, d.codeTTL)
		return
	}
	answer := url.Values{"code": {text}}
	if a.state != "" {
		answer.Set("state", a.state)
	}
	redirect(w, withQuery(a.redirectURI, answer))
}

// approveCode issues the code of an allowed request.
func (d *Dropbox) approveCode(a authorization, accountID string, now time.Time) string {
	return d.issueCode(code{
		clientID:    a.app.ClientID,
		accountID:   accountID,
		redirectURI: a.redirectURI,
		challenge:   a.challenge,
		method:      a.method,
		accessType:  a.accessType,
		scopes:      d.scopesFor(a, accountID, now),
	}, now)
}

// allowImplicit answers with an access token in the fragment (RFC 6749 section
// 4.2.2).
func (d *Dropbox) allowImplicit(w http.ResponseWriter, a authorization, accountID string, now time.Time) {
	if a.accessType == accessOffline {
		a.accessType = accessOnline // this flow has no refresh tokens
	}
	scopes := d.scopesFor(a, accountID, now)
	d.mu.Lock()
	g := d.newGrant(grant{
		clientID: a.app.ClientID, accountID: accountID, accessType: a.accessType, scopes: scopes,
	}, now)
	token := d.newAccess(g, g.scopes, now)
	uid := d.user(accountID).UID
	d.mu.Unlock()

	answer := url.Values{
		"access_token": {token}, "token_type": {"bearer"}, "uid": {uid}, "account_id": {accountID},
	}
	if a.accessType != accessLegacy {
		answer.Set("expires_in", strconv.FormatInt(int64(d.accessTTL/time.Second), 10))
	}
	if !a.app.Unscoped {
		answer.Set("scope", strings.Join(scopes, " "))
	}
	if a.state != "" {
		answer.Set("state", a.state)
	}
	redirect(w, a.redirectURI+"#"+answer.Encode())
}

// deny tells the app by a redirect (RFC 6749 section 4.1.2.1), or the person by
// a page when the app gave no way to be told.
func (d *Dropbox) deny(w http.ResponseWriter, a authorization) {
	if !a.redirected {
		d.pages.denied(w, a)
		return
	}
	answer := url.Values{
		"error":             {"access_denied"},
		"error_description": {"The user chose not to give your app access to their Dropbox account."},
	}
	if a.state != "" {
		answer.Set("state", a.state)
	}
	if a.responseType == responseToken {
		redirect(w, a.redirectURI+"#"+answer.Encode())
		return
	}
	redirect(w, withQuery(a.redirectURI, answer))
}

// scopesFor returns the scopes that the user allows: those asked for, and with
// include_granted_scopes those allowed before.
func (d *Dropbox) scopesFor(a authorization, accountID string, now time.Time) []string {
	if !a.includeGranted {
		return a.scopes
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	before, _ := d.approvedScopes(a.app.ClientID, accountID, now)
	scopes := append(slices.Clone(a.scopes), before...)
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// approvedBefore reports whether the user need not be asked again: the app has
// all it asks for already, a redirect takes the browser back to it, and it did
// not ask to be approved anew.
func (d *Dropbox) approvedBefore(a authorization, accountID string, now time.Time) bool {
	if !a.redirected || a.forceReapprove {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	before, found := d.approvedScopes(a.app.ClientID, accountID, now)
	return found && !slices.ContainsFunc(a.scopes, func(s string) bool { return !slices.Contains(before, s) })
}

// everybody returns all users.
func (d *Dropbox) everybody() []User {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.users)
}

func redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusFound)
}

// withQuery adds parameters to a redirect URI, which keeps the query that it has
// (RFC 6749 section 3.1.2).
func withQuery(uri string, add url.Values) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + add.Encode()
}
