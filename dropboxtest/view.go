package dropboxtest

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// consent asks the user.
func (p pages) consent(w http.ResponseWriter, a authorization, signedIn User, everybody []User) {
	type scope struct{ Name, Text string }
	data := struct {
		page
		App, Letter, Action string
		Scopes              []scope
		Lasting, Choice     bool
		People              []person
	}{
		page:    newPage(a.app.title() + " asks for access"),
		App:     a.app.title(),
		Letter:  letter(a.app.title()),
		Action:  "/oauth2/authorize?" + a.query,
		Lasting: a.accessType != accessOnline,
		Choice:  len(everybody) > 1,
	}
	for _, s := range a.scopes {
		data.Scopes = append(data.Scopes, scope{s, scopeText(s)})
	}
	for _, u := range everybody {
		data.People = append(data.People, newPerson(u, u.AccountID == signedIn.AccountID))
	}
	p.write(w, http.StatusOK, "consent", formAction(a), data)
}

// formAction is the form-action part of the policy. Browsers hold the redirect
// that answers a form against it too.
func formAction(a authorization) string {
	if !a.redirected {
		return "; form-action 'self'"
	}
	u, err := url.Parse(a.redirectURI)
	if err != nil || u.Scheme == "" || strings.ContainsAny(u.Host, " ,;'*[") {
		return "" // not a source of a policy, IPv6 addresses among them
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		return "; form-action 'self' " + u.Scheme + "://" + u.Host
	}
	return "; form-action 'self' " + u.Scheme + ":"
}

// code shows the authorization code.
func (p pages) code(w http.ResponseWriter, a authorization, text string, lifetime time.Duration) {
	p.write(w, http.StatusOK, "code", "", struct {
		page
		App, Code, Lifetime string
	}{newPage("Access allowed"), a.app.title(), text, inWords(lifetime)})
}

// denied tells that nothing was given.
func (p pages) denied(w http.ResponseWriter, a authorization) {
	p.write(w, http.StatusOK, "denied", "", struct {
		page
		App string
	}{newPage("Access denied"), a.app.title()})
}

// badRequest is Dropbox's page for a request that the app got wrong.
func (p pages) badRequest(w http.ResponseWriter, problem string) {
	p.write(w, http.StatusBadRequest, "error", "", struct {
		page
		Problem template.HTML
	}{newPage("Error (400)"), asText(problem)})
}

const (
	notFoundHeading    = "There is nothing here"
	notFoundText       = "The authorize page is /oauth2/authorize, and takes the parameters of an app."
	foreignFormHeading = "Not from here"
	foreignFormText    = "The form was sent by the page of another site, so nothing was done."
)

// message is a page that says one thing.
func (p pages) message(w http.ResponseWriter, status int, heading, text string) {
	p.write(w, status, "message", "", struct {
		page
		Heading, Text string
	}{newPage(heading), heading, text})
}

// index is the page at /.
func (p pages) index(w http.ResponseWriter, apps []App, everybody []User) {
	type app struct{ Name, ClientID string }
	data := struct {
		page
		Apps   []app
		People []person
		Choice bool
	}{page: newPage("Local Dropbox emulator"), Choice: len(everybody) > 1}
	for _, a := range apps {
		data.Apps = append(data.Apps, app{a.title(), a.ClientID})
	}
	for _, u := range everybody {
		data.People = append(data.People, newPerson(u, false))
	}
	p.write(w, http.StatusOK, "index", "", data)
}

// inWords writes the lifetime of a code as a person would.
func inWords(d time.Duration) string {
	switch {
	case d == time.Minute:
		return "one minute"
	case d > time.Minute && d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + " minutes"
	}
	return d.String()
}
