package oauthtest

import (
	"net/http"
)

func (s *Server) describe(w http.ResponseWriter, _ *http.Request) {
	document := map[string]any{
		"issuer":                                s.Issuer(),
		"authorization_endpoint":                s.URL + "/authorize",
		"token_endpoint":                        s.URL + "/token",
		"revocation_endpoint":                   s.URL + "/revoke",
		"response_types_supported":              []string{"code"},
		"code_challenge_methods_supported":      []string{"S256"},
		"scopes_supported":                      []string{"openid", "profile", "email"},
		"token_endpoint_auth_methods_supported": []string{s.method()},
	}
	if !s.options.NoUserinfo {
		document["userinfo_endpoint"] = s.URL + "/userinfo"
	}
	if s.options.DPoP {
		document["dpop_signing_alg_values_supported"] = []string{"ES256"}
	}
	if s.options.IDToken != nil {
		document["jwks_uri"] = s.URL + "/keys"
	}
	if s.options.PAR || s.options.RequirePAR {
		document["pushed_authorization_request_endpoint"] = s.URL + "/par"
		document["require_pushed_authorization_requests"] = s.options.RequirePAR
	}
	if s.options.Describe != nil {
		s.options.Describe(document)
	}
	writeJSON(w, http.StatusOK, document)
}

func (s *Server) method() string {
	switch {
	case s.options.ClientSecret == "":
		return "none"
	case s.options.AuthPost:
		return "client_secret_post"
	}
	return "client_secret_basic"
}
