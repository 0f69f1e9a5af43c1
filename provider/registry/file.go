package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/authring/authring/provider"
)

// fileVersion is the version of the form of files. One of another version is
// refused: a newer program may have meant by it what this one would not do.
const fileVersion = 1

// form is the JSON form of a file. Members that RFC 8414 names have its names.
type form struct {
	Version int      `json:"version"`
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Sources []string `json:"sources,omitempty"`

	Issuer       string   `json:"issuer,omitempty"`
	AuthURL      string   `json:"authorization_endpoint"`
	TokenURL     string   `json:"token_endpoint"`
	DeviceURL    string   `json:"device_authorization_endpoint,omitempty"`
	PARURL       string   `json:"pushed_authorization_request_endpoint,omitempty"`
	RequirePAR   bool     `json:"require_pushed_authorization_requests,omitempty"`
	RevokeURL    string   `json:"revocation_endpoint,omitempty"`
	UserinfoURL  string   `json:"userinfo_endpoint,omitempty"`
	JWKSURL      string   `json:"jwks_uri,omitempty"`
	DPoPAlgs     []string `json:"dpop_signing_alg_values_supported,omitempty"`
	IssParameter bool     `json:"authorization_response_iss_parameter_supported,omitempty"`

	Account *accountForm `json:"account_fields,omitempty"`

	ClientID      string              `json:"client_id,omitempty"`
	ClientAuth    provider.ClientAuth `json:"client_auth"`
	SecretKeyring string              `json:"client_secret_keyring,omitempty"`
	SecretLeftIn  []string            `json:"client_secret_left_in,omitempty"`

	AuthParams       url.Values          `json:"authorization_parameters,omitempty"`
	DefaultScope     []string            `json:"default_scope,omitempty"`
	ScopeSeparator   string              `json:"scope_separator,omitempty"`
	GrantedSeparator string              `json:"granted_separator,omitempty"`
	ScopeIncludes    map[string][]string `json:"scope_includes,omitempty"`
	NarrowsScope     bool                `json:"narrows_scope,omitempty"`

	RedirectURI    string `json:"redirect_uri,omitempty"`
	RedirectPorts  []int  `json:"redirect_ports,omitempty"`
	ExactRedirect  bool   `json:"exact_redirect,omitempty"`
	NoRedirectCode bool   `json:"shows_code,omitempty"`
	RedirectSecret bool   `json:"redirect_needs_secret,omitempty"`

	Replay           replay   `json:"replay"`
	Rotates          bool     `json:"rotates,omitempty"`
	GraceWindow      duration `json:"grace_window,omitzero"`
	IdleLifetime     duration `json:"idle_lifetime,omitzero"`
	AbsoluteLifetime duration `json:"absolute_lifetime,omitzero"`
	AccessLifetime   duration `json:"access_lifetime,omitzero"`

	Refusals      []refusal `json:"refusals,omitempty"`
	RefusesWithOK bool      `json:"refuses_with_ok,omitempty"`

	AccountIDField string   `json:"account_id_field,omitempty"`
	TeamIDField    string   `json:"team_id_field,omitempty"`
	Hosts          []string `json:"hosts,omitempty"`

	TokenVariable   string   `json:"token_variable,omitempty"`
	TokenRoutes     []string `json:"token_routes,omitempty"`
	RequestIDHeader string   `json:"request_id_header,omitempty"`
	ManageURL       string   `json:"manage_url,omitempty"`
}

type accountForm struct {
	ID    string `json:"id,omitempty"`
	Email string `json:"email,omitempty"`
	Name  string `json:"name,omitempty"`
}

type refusal struct {
	Code     string      `json:"error"`
	Contains string      `json:"contains,omitempty"`
	Kind     refusalKind `json:"means"`
}

// Parse reads a file. Members that it does not know are an error, since the
// file may depend on what they say.
func Parse(data []byte) (*Entry, error) {
	if len(data) > largest {
		return nil, fmt.Errorf("it is larger than %d bytes", largest)
	}
	// The version comes first: what a newer one has more is not a mistake.
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err == nil && head.Version != fileVersion {
		return nil, fmt.Errorf("it is of version %d, and this program knows version %d", head.Version, fileVersion)
	}
	var f form
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return nil, fmt.Errorf("it is not the JSON of a provider: %s", oneLine(err.Error()))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON of the provider")
	}
	if err := checkMembers(data); err != nil {
		return nil, err
	}
	entry := f.entry()
	if err := check(entry); err != nil {
		return nil, err
	}
	return entry, nil
}

// Format writes a file, which Parse reads.
func Format(entry *Entry) ([]byte, error) {
	if err := check(entry); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(formOf(entry), "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// check finds what would make trouble later, or elsewhere.
func check(entry *Entry) error {
	p := entry.Provider
	if err := CheckName(p.Name); err != nil {
		return err
	}
	if err := p.Validate(); err != nil {
		return err
	}
	if (p.ClientAuth != provider.AuthNone) && p.ClientID == "" && entry.SecretKeyring != "" {
		return errors.New("it has a client secret and no client identifier")
	}
	lines := []string{
		p.Title, p.ClientID, p.ScopeSeparator, p.GrantedSeparator, p.AccountIDField, p.TeamIDField, p.RequestIDHeader, p.ManageURL, entry.SecretKeyring,
		p.AccountFields.ID, p.AccountFields.Email, p.AccountFields.Name,
	}
	for _, more := range [][]string{p.DefaultScope, p.DPoPAlgs, p.Hosts, p.TokenRoutes, entry.Sources, entry.SecretLeftIn} {
		lines = append(lines, more...)
	}
	for _, line := range lines {
		if len(line) > 2048 || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
			return fmt.Errorf("%.40q is not a printable line of at most 2048 bytes", line)
		}
	}
	for _, scope := range p.DefaultScope {
		if scope == "" || strings.Contains(scope, " ") {
			return fmt.Errorf("%.40q is not a scope", scope)
		}
	}
	if p.Title == "" {
		return errors.New("it has no title")
	}
	if !isVariable(p.TokenVariable) {
		return errors.New("its token variable is not the name of an environment variable for a token, such as NAME_TOKEN")
	}
	for _, life := range []time.Duration{p.GraceWindow, p.IdleLifetime, p.AbsoluteLifetime, p.AccessLifetime} {
		if life < 0 {
			return errors.New("one of its lengths of time is negative")
		}
	}
	return nil
}

// isVariable keeps a file from naming variables that have programs do other
// things, such as load code.
func isVariable(name string) bool {
	other := func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' }
	return name == "" || len(name) <= 64 && !strings.ContainsFunc(name, other) && strings.HasSuffix(name, "TOKEN") && (name[0] < '0' || name[0] > '9')
}

func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	return strings.TrimPrefix(text[:min(len(text), 200)], "json: ")
}

func (f *form) entry() *Entry {
	p := &provider.Provider{
		Name: f.Name, Title: f.Title, Issuer: f.Issuer, AuthURL: f.AuthURL, TokenURL: f.TokenURL, DeviceURL: f.DeviceURL,
		PARURL: f.PARURL, RequirePAR: f.RequirePAR, RevokeURL: f.RevokeURL, UserinfoURL: f.UserinfoURL, JWKSURL: f.JWKSURL,
		DPoPAlgs: f.DPoPAlgs, IssParameter: f.IssParameter, ClientID: f.ClientID, ClientAuth: f.ClientAuth,
		AuthParams: f.AuthParams, DefaultScope: f.DefaultScope, ScopeSeparator: f.ScopeSeparator, GrantedSeparator: f.GrantedSeparator, ScopeIncludes: f.ScopeIncludes, NarrowsScope: f.NarrowsScope,
		RedirectURI: f.RedirectURI, RedirectPorts: f.RedirectPorts, ExactRedirect: f.ExactRedirect, NoRedirectCode: f.NoRedirectCode, RedirectNeedsSecret: f.RedirectSecret,
		Replay: provider.Replay(f.Replay), Rotates: f.Rotates, GraceWindow: time.Duration(f.GraceWindow),
		IdleLifetime: time.Duration(f.IdleLifetime), AbsoluteLifetime: time.Duration(f.AbsoluteLifetime), AccessLifetime: time.Duration(f.AccessLifetime),
		RefusesWithOK: f.RefusesWithOK, AccountIDField: f.AccountIDField, TeamIDField: f.TeamIDField, Hosts: f.Hosts,
		TokenVariable: f.TokenVariable, TokenRoutes: f.TokenRoutes, RequestIDHeader: f.RequestIDHeader, ManageURL: f.ManageURL,
	}
	if f.Account != nil {
		p.AccountFields = provider.AccountFields(*f.Account)
	}
	for _, r := range f.Refusals {
		p.Refusals = append(p.Refusals, provider.Refusal{Code: r.Code, Contains: r.Contains, Kind: r.Kind.error()})
	}
	return &Entry{Provider: p, SecretKeyring: f.SecretKeyring, SecretLeftIn: f.SecretLeftIn, Sources: f.Sources}
}

func formOf(entry *Entry) *form {
	p := entry.Provider
	f := &form{
		Version: fileVersion, Name: p.Name, Title: p.Title, Sources: entry.Sources,
		Issuer: p.Issuer, AuthURL: p.AuthURL, TokenURL: p.TokenURL, DeviceURL: p.DeviceURL,
		PARURL: p.PARURL, RequirePAR: p.RequirePAR, RevokeURL: p.RevokeURL, UserinfoURL: p.UserinfoURL, JWKSURL: p.JWKSURL,
		DPoPAlgs: p.DPoPAlgs, IssParameter: p.IssParameter, ClientID: p.ClientID, ClientAuth: p.ClientAuth, SecretKeyring: entry.SecretKeyring, SecretLeftIn: entry.SecretLeftIn,
		AuthParams: p.AuthParams, DefaultScope: p.DefaultScope, ScopeSeparator: p.ScopeSeparator, GrantedSeparator: p.GrantedSeparator, ScopeIncludes: p.ScopeIncludes, NarrowsScope: p.NarrowsScope,
		RedirectURI: p.RedirectURI, RedirectPorts: p.RedirectPorts, ExactRedirect: p.ExactRedirect, NoRedirectCode: p.NoRedirectCode, RedirectSecret: p.RedirectNeedsSecret,
		Replay: replay(p.Replay), Rotates: p.Rotates, GraceWindow: duration(p.GraceWindow),
		IdleLifetime: duration(p.IdleLifetime), AbsoluteLifetime: duration(p.AbsoluteLifetime), AccessLifetime: duration(p.AccessLifetime),
		RefusesWithOK: p.RefusesWithOK, AccountIDField: p.AccountIDField, TeamIDField: p.TeamIDField, Hosts: p.Hosts,
		TokenVariable: p.TokenVariable, TokenRoutes: p.TokenRoutes, RequestIDHeader: p.RequestIDHeader, ManageURL: p.ManageURL,
	}
	if p.AccountFields != (provider.AccountFields{}) {
		account := accountForm(p.AccountFields)
		f.Account = &account
	}
	for _, r := range p.Refusals {
		f.Refusals = append(f.Refusals, refusal{Code: r.Code, Contains: r.Contains, Kind: kindOf(r.Kind)})
	}
	return f
}
