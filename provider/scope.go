package provider

import (
	"encoding/json"
	"slices"
	"strings"
)

// askedScope is what is asked for: what the caller names, or else the provider's
// default.
func (p *Provider) askedScope(scope []string) []string {
	if len(scope) == 0 {
		return p.DefaultScope
	}
	return scope
}

// AsksIDToken reports whether a request for a scope, or for the provider's
// default if it is empty, asks for an ID token.
//
// OpenID Connect Core section 3.1.2.1: "OpenID Connect requests MUST contain the
// openid scope value."
func (p *Provider) AsksIDToken(scope []string) bool {
	return slices.Contains(p.askedScope(scope), "openid")
}

// joinScope writes scopes as the server has them in one parameter.
func (p *Provider) joinScope(scope []string) string {
	if p.ScopeSeparator == "" {
		return strings.Join(scope, " ")
	}
	return strings.Join(scope, p.ScopeSeparator)
}

// readScope reads the scopes of an answer: a string, with spaces or the
// server's own separators, or, as some servers write it, an array of strings.
// What scopes cannot be (RFC 6749 section 3.3: visible ASCII) makes it as if
// the server had not said. They come separated by spaces.
func (p *Provider) readScope(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		var list []string
		if json.Unmarshal(raw, &list) != nil {
			return ""
		}
		text = strings.Join(list, " ")
	}
	for _, separator := range []string{p.ScopeSeparator, p.GrantedSeparator} {
		if separator != "" {
			text = strings.ReplaceAll(text, separator, " ")
		}
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return ""
	}
	return strings.Join(strings.Fields(text), " ")
}
