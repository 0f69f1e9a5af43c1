package dropboxtest

import (
	"crypto/subtle"
	"mime"
	"net/http"
	"net/url"
)

// Values of grant_type (RFC 6749 sections 4.1.3 and 6).
const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
)

// maxFormBytes bounds what is read of a form.
const maxFormBytes = 64 << 10

// tokenError is an error answer of the token endpoint (RFC 6749 section 5.2).
type tokenError struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// tokenAnswer is a successful answer of the token endpoint (RFC 6749 section
// 5.1) with what Dropbox adds to it.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
	UID          string `json:"uid,omitempty"`
	AccountID    string `json:"account_id,omitempty"`
	TeamID       string `json:"team_id,omitempty"`
}

func invalidRequest(description string) *tokenError {
	return &tokenError{"invalid_request", description}
}

func invalidGrant(description string) *tokenError {
	return &tokenError{"invalid_grant", description}
}

// serveToken is the token endpoint. The form is read ahead of the faults, which
// may be meant for one grant type.
func (d *Dropbox) serveToken(x *exchange, r *http.Request) {
	if !allowOnly(x, r, http.MethodPost) {
		return
	}
	form, problem := readTokenForm(x, r)
	grantType := form.Get("grant_type")
	x.note(func(e *Request) { e.GrantType = loggedGrantType(grantType) })
	t := target{endpoint: endpointToken, grantType: grantType, form: form}
	d.serveFaulty(x, r, t, func(w http.ResponseWriter, r *http.Request) {
		if problem != nil {
			writeJSON(w, http.StatusBadRequest, problem)
			return
		}
		answer, problem := d.token(form, r)
		if problem != nil {
			writeJSON(w, http.StatusBadRequest, problem)
			return
		}
		w.Header().Set("Pragma", "no-cache") // RFC 6749 section 5.1
		writeJSON(w, http.StatusOK, answer)
	})
}

// readTokenForm reads the parameters of the body, and of the query where the
// body does not have them: the JavaScript SDK sends all of them there.
func readTokenForm(w http.ResponseWriter, r *http.Request) (url.Values, *tokenError) {
	form := url.Values{}
	contentType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if contentType == "application/x-www-form-urlencoded" {
		r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
		if err := r.ParseForm(); err != nil {
			return form, invalidRequest("the parameters could not be read")
		}
		form = r.PostForm
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return form, invalidRequest("the parameters could not be read")
	}
	for _, values := range []url.Values{form, query} {
		for name := range values {
			// "Request and response parameters MUST NOT be included more
			// than once." (RFC 6749 section 3.2)
			if len(values[name]) > 1 {
				return form, invalidRequest("a parameter was given more than once")
			}
		}
	}
	for name, values := range query {
		if !form.Has(name) {
			form[name] = values
		}
	}
	return form, nil
}

func (d *Dropbox) token(form url.Values, r *http.Request) (*tokenAnswer, *tokenError) {
	grantType := form.Get("grant_type")
	switch grantType {
	case grantCode, grantRefresh:
	case "":
		return nil, invalidRequest(`missing required field "grant_type"`)
	default:
		return nil, &tokenError{"unsupported_grant_type", "grant_type must be authorization_code or refresh_token"}
	}
	app, bySecret, problem := d.authenticate(form, r)
	if problem != nil {
		return nil, problem
	}
	now := d.clock()
	if grantType == grantCode {
		return d.redeem(form, app, bySecret, now)
	}
	return d.renew(form, app, bySecret, now)
}

// authenticate tells which app asks, and whether it proved itself by its secret
// (RFC 6749 section 2.3.1).
func (d *Dropbox) authenticate(form url.Values, r *http.Request) (app App, bySecret bool, problem *tokenError) {
	invalidClient := &tokenError{Code: "invalid_client: Invalid client_id or client_secret"}
	if d.splitInvalidClient {
		invalidClient = &tokenError{"invalid_client", "Invalid client_id or client_secret"}
	}
	clientID, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		if clientID != "" && clientID != user {
			return app, false, invalidClient
		}
		clientID, secret = user, password
	}
	if clientID == "" {
		return app, false, invalidRequest(noAuthFunction)
	}
	app, known := d.app(clientID)
	if !known {
		return app, false, invalidClient
	}
	if secret == "" {
		return app, false, nil
	}
	if !app.confidential() || subtle.ConstantTimeCompare([]byte(secret), []byte(app.Secret)) != 1 {
		return app, false, invalidClient
	}
	return app, true, nil
}

const noAuthFunction = "No auth function available for given request"
