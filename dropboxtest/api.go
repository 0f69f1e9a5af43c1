package dropboxtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxArgumentBytes bounds what is read of an API argument.
const maxArgumentBytes = 1 << 20

// apiError is a refusal of the API. Those that are not JSON are plain text.
type apiError struct {
	status int
	text   string         // of a plain-text answer
	tag    string         // of a JSON answer
	fields map[string]any // beside the tag
}

func tagged(status int, tag string) *apiError { return &apiError{status: status, tag: tag} }

func (e *apiError) write(w http.ResponseWriter, route string) {
	if e.tag == "" {
		writeText(w, e.status, fmt.Sprintf("Error in call to API function %q: %s", route, e.text))
		return
	}
	detail := map[string]any{".tag": e.tag}
	for name, value := range e.fields {
		detail[name] = value
	}
	writeJSON(w, e.status, map[string]any{"error_summary": e.tag + "/" + dots(), "error": detail})
}

// caller is who an API request comes from.
type caller struct {
	token string
	user  User
	app   App
}

// route is an API function.
type route struct {
	appAuth bool
	scope   string // empty when none is needed
	call    func(*Dropbox, caller, []byte) (any, *apiError)
}

// lookupRoute returns the API function of a name.
func lookupRoute(name string) (route, bool) {
	switch name {
	case "check/user":
		return route{scope: "account_info.read", call: (*Dropbox).echo}, true
	case "check/app":
		return route{appAuth: true, call: (*Dropbox).echo}, true
	case "users/get_current_account":
		return route{scope: "account_info.read", call: (*Dropbox).currentAccount}, true
	case "auth/token/revoke":
		return route{call: (*Dropbox).revokeToken}, true
	case "auth/token/from_oauth1":
		return route{appAuth: true, call: (*Dropbox).fromOAuth1}, true
	}
	return route{}, false
}

// serveAPI answers an API call. A route that does not exist is 400, as at
// Dropbox, where 404 is an answer of content routes.
func (d *Dropbox) serveAPI(w http.ResponseWriter, r *http.Request, name string) {
	if !allowOnly(w, r, http.MethodPost) {
		return
	}
	route, known := lookupRoute(name)
	if !known {
		writeText(w, http.StatusBadRequest, fmt.Sprintf("Unknown API function: %q", name))
		return
	}
	result, refusal := d.callAPI(w, r, route)
	if refusal != nil {
		refusal.write(w, name)
		return
	}
	writeJSON(w, http.StatusOK, result)
}

func (d *Dropbox) callAPI(w http.ResponseWriter, r *http.Request, route route) (any, *apiError) {
	var who caller
	var refusal *apiError
	if route.appAuth {
		who.app, refusal = d.appCaller(r)
	} else {
		who, refusal = d.userCaller(r, route.scope)
	}
	if refusal != nil {
		return nil, refusal
	}
	argument, refusal := readArgument(w, r)
	if refusal != nil {
		return nil, refusal
	}
	return route.call(d, who, argument)
}

// appCaller checks the app authentication of a request: HTTP Basic.
func (d *Dropbox) appCaller(r *http.Request) (App, *apiError) {
	clientID, secret, ok := r.BasicAuth()
	if !ok {
		return App{}, badAuthorization(r, "Basic <base64(APP_KEY:APP_SECRET)>")
	}
	app, known := d.app(clientID)
	if !known || !app.confidential() || app.Secret != secret {
		return App{}, &apiError{status: http.StatusBadRequest, text: "Invalid app key or secret."}
	}
	return app, nil
}

// userCaller checks the access token of a request (RFC 6750 section 2.1).
func (d *Dropbox) userCaller(r *http.Request, scope string) (caller, *apiError) {
	token, ok := bearer(r)
	if !ok {
		return caller{}, badAuthorization(r, "Bearer <oauth2-access-token>")
	}
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.access[token]
	if a == nil {
		return caller{}, tagged(http.StatusUnauthorized, "invalid_access_token")
	}
	if expired(a.expires, now) {
		return caller{}, tagged(http.StatusUnauthorized, "expired_access_token")
	}
	app, _ := d.app(a.grant.clientID)
	user := *d.user(a.grant.accountID)
	if user.Suspended {
		return caller{}, tagged(http.StatusUnauthorized, "user_suspended")
	}
	if scope != "" && !app.Unscoped && !slices.Contains(a.scopes, scope) {
		refusal := tagged(http.StatusUnauthorized, "missing_scope")
		refusal.fields = map[string]any{"required_scope": scope}
		return caller{}, refusal
	}
	if scope != "" && app.TeamLink && user.Team != nil {
		switch member := r.Header.Get("Dropbox-API-Select-User"); member {
		case user.Team.MemberID:
		case "":
			return caller{}, &apiError{status: http.StatusBadRequest, text: "This function works on one account, " +
				`but the access token is for a whole team. Name the member in HTTP header "Dropbox-API-Select-User".`}
		default:
			return caller{}, tagged(http.StatusUnauthorized, "invalid_select_user")
		}
	}
	return caller{token: token, user: user, app: app}, nil
}

// bearer returns the access token of a request, if it has one.
func bearer(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

func badAuthorization(r *http.Request, expected string) *apiError {
	if r.Header.Get("Authorization") == "" {
		return &apiError{status: http.StatusBadRequest,
			text: `Must provide HTTP header "Authorization" or URL parameter "authorization".`}
	}
	return &apiError{status: http.StatusBadRequest, text: fmt.Sprintf(
		`Invalid authorization value in HTTP header "Authorization": %q.  Expecting %q.`,
		r.Header.Get("Authorization"), expected)}
}

// readArgument reads the JSON argument of a call. A call without a body and
// without a content type has the argument null.
func readArgument(w http.ResponseWriter, r *http.Request) ([]byte, *apiError) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxArgumentBytes))
	if err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return nil, &apiError{status: http.StatusRequestEntityTooLarge, text: "request body: too large"}
		}
		return nil, &apiError{status: http.StatusBadRequest, text: "request body: could not be read"}
	}
	contentType := r.Header.Get("Content-Type")
	if contentType == "" && len(body) == 0 {
		return []byte("null"), nil
	}
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/json" {
		return nil, &apiError{status: http.StatusBadRequest, text: fmt.Sprintf(
			`Bad HTTP "Content-Type" header: %q.  Expecting "application/json".`, contentType)}
	}
	if !json.Valid(body) || !utf8.Valid(body) {
		return nil, &apiError{status: http.StatusBadRequest, text: "request body: could not decode input as JSON"}
	}
	return body, nil
}
