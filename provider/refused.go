package provider

// authorizationRefusals are the codes of RFC 6749 section 4.1.2.1. Those that
// are not here are faults of the request.
var authorizationRefusals = map[string]error{
	"access_denied":           ErrAccessDenied,
	"unauthorized_client":     ErrInvalidClient,
	"invalid_client":          ErrInvalidClient,
	"invalid_scope":           ErrMissingScope,
	"server_error":            ErrServerFault,
	"temporarily_unavailable": ErrServerFault,
}

// AuthorizationRefused is the error of an authorization response that holds an
// error instead of a code (RFC 6749 section 4.1.2.1), an [*Error]. The words of
// the server need not be clean.
func AuthorizationRefused(code, description string) error {
	kind, known := authorizationRefusals[code]
	if !known {
		kind = ErrInvalidToken
	}
	return &Error{Op: "get an authorization code", Kind: kind, Code: cleanWord(code, nil), Description: clean(description, nil), Sent: true}
}

// Refusal maps an error of the token endpoint to its kind.
type Refusal struct {
	Code     string // error, RFC 6749 section 5.2
	Contains string // part of error_description; empty fits every one
	Kind     error
}
