package dropboxtest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Values of response_type.
const (
	responseCode  = "code"
	responseToken = "token"
)

// authorization is an authorize request that passed all checks.
type authorization struct {
	query          string // as it came
	app            App
	responseType   string
	redirected     bool
	redirectURI    string
	state          string
	challenge      string
	method         string
	accessType     string
	scopes         []string // sorted
	includeGranted bool
	forceReapprove bool
}

// serveAuthorize is the authorize page: GET asks the user, POST is what the
// form of that page sends.
func (d *Dropbox) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if !allowOnly(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	request, problem := d.parseAuthorize(r.URL.RawQuery)
	if problem != "" {
		d.pages.badRequest(w, problem)
		return
	}
	user, now := d.User(), d.clock()
	if r.Method == http.MethodPost {
		d.decide(w, r, request, now)
		return
	}
	if d.autoApprove || d.approvedBefore(request, user.AccountID, now) {
		d.allow(w, request, user.AccountID, now)
		return
	}
	d.pages.consent(w, request, user, d.everybody())
}

// decide acts on the form of the consent page.
func (d *Dropbox) decide(w http.ResponseWriter, r *http.Request, request authorization, now time.Time) {
	// The page of another site may send the form too; browsers tell.
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		d.pages.message(w, http.StatusForbidden, foreignFormHeading, foreignFormText)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		d.pages.badRequest(w, "The form could not be read.")
		return
	}
	switch r.PostForm.Get("decision") {
	case "allow":
		accountID := r.PostForm.Get("account")
		if accountID == "" {
			accountID = d.User().AccountID
		}
		if !slices.ContainsFunc(d.everybody(), func(u User) bool { return u.AccountID == accountID }) {
			d.pages.badRequest(w, `Invalid "account": nobody here has this account id.`)
			return
		}
		d.allow(w, request, accountID, now)
	case "deny":
		d.deny(w, request)
	default:
		d.pages.badRequest(w, `Invalid "decision": must be allow or deny.`)
	}
}

// parseAuthorize checks the query of an authorize request (RFC 6749 section
// 4.1.1, RFC 7636 section 4.3). What is wrong is told in the page and never by a
// redirect, not even where RFC 6749 section 4.1.2.1 would allow one.
func (d *Dropbox) parseAuthorize(rawQuery string) (request authorization, problem string) {
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return request, "The query could not be read."
	}
	for name, values := range q {
		if len(values) > 1 {
			return request, fmt.Sprintf("Invalid %q: given more than once.", name)
		}
	}
	app, known := d.app(q.Get("client_id"))
	if !known {
		return request, fmt.Sprintf(`Invalid client_id: "%s".`, q.Get("client_id"))
	}
	request = authorization{
		query:          rawQuery,
		app:            app,
		responseType:   q.Get("response_type"),
		redirected:     q.Has("redirect_uri"),
		redirectURI:    q.Get("redirect_uri"),
		state:          q.Get("state"),
		challenge:      q.Get("code_challenge"),
		method:         q.Get("code_challenge_method"),
		accessType:     q.Get("token_access_type"),
		includeGranted: q.Has("include_granted_scopes"),
		forceReapprove: q.Get("force_reapprove") == "true",
	}
	if request.redirected && !slices.Contains(app.RedirectURIs, request.redirectURI) {
		return request, "Invalid redirect_uri. It must exactly match one of the redirect URIs " +
			"you've pre-configured for your app (including the path)."
	}
	for _, check := range []func(url.Values) string{
		request.checkResponseType,
		request.checkChallenge,
		request.checkAccessType,
		request.checkScope,
		d.checkState,
		checkSwitches,
	} {
		if problem := check(q); problem != "" {
			return request, problem
		}
	}
	return request, ""
}

func (a *authorization) checkResponseType(q url.Values) string {
	switch {
	case !q.Has("response_type"):
		return `Missing "response_type".`
	case a.responseType != responseCode && a.responseType != responseToken:
		return `Invalid "response_type": must be code or token.`
	case a.responseType == responseToken && !a.redirected:
		return `Invalid "response_type": token needs a redirect_uri.`
	}
	return ""
}

func (a *authorization) checkChallenge(q url.Values) string {
	// "plain" is the default of RFC 7636 section 4.3.
	switch {
	case !q.Has("code_challenge") && q.Has("code_challenge_method"):
		return `Invalid "code_challenge_method": there is no code_challenge.`
	case !q.Has("code_challenge"):
		return ""
	case a.method == "":
		a.method = "plain"
	case a.method != "S256" && a.method != "plain":
		return `Invalid "code_challenge_method": must be S256 or plain.`
	}
	if a.method == "S256" && (len(a.challenge) != 43 || !isBase64URL(a.challenge)) {
		return `Invalid "code_challenge": must be 43 characters of the base64url alphabet.`
	}
	if a.method == "plain" && !validVerifier(a.challenge) {
		return `Invalid "code_challenge": must be 43 to 128 characters of A-Z, a-z, 0-9, "-", ".", "_" and "~".`
	}
	return ""
}

func (a *authorization) checkAccessType(q url.Values) string {
	switch {
	case !q.Has("token_access_type") && a.app.AllowLegacy:
		a.accessType = accessLegacy
	case !q.Has("token_access_type"):
		a.accessType = accessOnline
	case a.accessType == accessLegacy && !a.app.AllowLegacy:
		return `Invalid "token_access_type": this app can have no long-lived access tokens.`
	case a.accessType != accessOffline && a.accessType != accessOnline && a.accessType != accessLegacy:
		return `Invalid "token_access_type": must be offline, online or legacy.`
	}
	return ""
}

func (a *authorization) checkScope(q url.Values) string {
	scope := q.Get("scope")
	if a.includeGranted {
		if given := q.Get("include_granted_scopes"); given != "user" && given != "team" {
			return `Invalid "include_granted_scopes": must be user or team.`
		}
		if scope == "" {
			return `Invalid "include_granted_scopes": needs a scope.`
		}
	}
	if a.app.Unscoped {
		if scope != "" {
			return fmt.Sprintf(`"scope": must be at most 0 characters, got %d`, len(scope))
		}
		return ""
	}
	a.scopes = strings.Fields(scope)
	if len(a.scopes) == 0 {
		a.scopes = slices.Clone(a.app.Scopes)
	}
	for _, s := range a.scopes {
		if !slices.Contains(a.app.Scopes, s) {
			return fmt.Sprintf(`Invalid "scope": the app does not have the scope "%s".`, s)
		}
	}
	slices.Sort(a.scopes)
	a.scopes = slices.Compact(a.scopes)
	return ""
}

func (d *Dropbox) checkState(q url.Values) string {
	if n := len(q.Get("state")); n > d.stateLimit {
		return fmt.Sprintf(`"state": must be at most %d bytes, got %d`, d.stateLimit, n)
	}
	return ""
}

func checkSwitches(q url.Values) string {
	for _, name := range []string{"force_reapprove", "force_reauthentication", "disable_signup"} {
		if v := q.Get(name); q.Has(name) && v != "true" && v != "false" {
			return fmt.Sprintf(`Invalid "%s": must be true or false.`, name)
		}
	}
	if v := q.Get("require_role"); q.Has("require_role") && v != "work" && v != "personal" {
		return `Invalid "require_role": must be work or personal.`
	}
	return ""
}
