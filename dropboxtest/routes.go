package dropboxtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"unicode/utf8"
)

// maxQuery bounds the argument of the check routes, in characters.
const maxQuery = 500

// echo is check/user and check/app.
func (d *Dropbox) echo(_ caller, argument []byte) (any, *apiError) {
	var arg struct {
		Query string `json:"query"`
	}
	if err := json.Unmarshal(argument, &arg); err != nil || isVoid(argument) {
		return nil, &apiError{status: http.StatusBadRequest, text: "request body: expected an object with the field query"}
	}
	if utf8.RuneCountInString(arg.Query) > maxQuery {
		return nil, &apiError{status: http.StatusBadRequest, text: "request body: query: must be at most 500 characters"}
	}
	return map[string]string{"result": arg.Query}, nil
}

// currentAccount is users/get_current_account.
func (d *Dropbox) currentAccount(who caller, argument []byte) (any, *apiError) {
	if refusal := wantVoid(argument); refusal != nil {
		return nil, refusal
	}
	u := who.user
	account := map[string]any{
		"account_id": u.AccountID,
		"name": map[string]string{
			"given_name":       u.GivenName,
			"surname":          u.Surname,
			"familiar_name":    u.GivenName,
			"display_name":     u.DisplayName(),
			"abbreviated_name": u.initials(),
		},
		"email":          u.Email,
		"email_verified": true,
		"disabled":       false,
		"country":        u.Country,
		"locale":         "en",
		"referral_link":  "https://www.dropbox.com/referrals/" + u.UID,
		"is_paired":      false,
		"account_type":   map[string]string{".tag": "basic"},
		"root_info": map[string]string{
			".tag":              "user",
			"root_namespace_id": u.UID,
			"home_namespace_id": u.UID,
		},
	}
	if u.Team != nil {
		account["account_type"] = map[string]string{".tag": "business"}
		account["team_member_id"] = u.Team.MemberID
		account["team"] = teamInfo(u.Team)
		account["root_info"] = map[string]string{
			".tag":              "team",
			"root_namespace_id": "1" + u.UID, // the team's own folder
			"home_namespace_id": u.UID,
			"home_path":         "/" + u.DisplayName(),
		}
	}
	return account, nil
}

// teamInfo is the team of an account with the policies that the SDKs insist on.
func teamInfo(t *Team) map[string]any {
	tag := func(tag string) map[string]string { return map[string]string{".tag": tag} }
	return map[string]any{
		"id":   t.ID,
		"name": t.Name,
		"sharing_policies": map[string]any{
			"shared_folder_member_policy":           tag("team"),
			"shared_folder_join_policy":             tag("from_anyone"),
			"shared_link_create_policy":             tag("team_only"),
			"group_creation_policy":                 tag("admins_only"),
			"shared_folder_link_restriction_policy": tag("anyone"),
		},
		"office_addin_policy":      tag("disabled"),
		"top_level_content_policy": tag("admin_only"),
	}
}

// revokeToken is auth/token/revoke: the access token, the refresh token that it
// came from and all other access tokens of that one end.
func (d *Dropbox) revokeToken(who caller, argument []byte) (any, *apiError) {
	if refusal := wantVoid(argument); refusal != nil {
		return nil, refusal
	}
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if a := d.access[who.token]; a != nil { // not ended by another request meanwhile
		d.endGrant(a.grant, endedByClient, now)
	}
	return nil, nil
}

// fromOAuth1 is auth/token/from_oauth1. No OAuth 1 token is known here.
func (d *Dropbox) fromOAuth1(caller, []byte) (any, *apiError) {
	return nil, tagged(http.StatusConflict, "invalid_oauth1_token_info")
}

func isVoid(argument []byte) bool {
	return bytes.Equal(bytes.TrimSpace(argument), []byte("null"))
}

func wantVoid(argument []byte) *apiError {
	if isVoid(argument) {
		return nil
	}
	return &apiError{status: http.StatusBadRequest, text: "request body: expected null, got value"}
}
