package callback_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/authring/authring/internal/callback"
)

const (
	state  = "af0ifjsldkj-the-state-of-the-request"
	code   = "SplxlOBeZQQYbYS6WxSbIA"
	issuer = "https://as.example"
)

func TestParse(t *testing.T) {
	plain := callback.Expected{State: state}
	known := callback.Expected{State: state, Issuer: issuer}
	always := callback.Expected{State: state, Issuer: issuer, IssRequired: true}
	good := "code=" + code + "&state=" + state
	iss := "&iss=" + url.QueryEscape(issuer)
	for _, c := range []struct {
		name, query string
		want        callback.Expected
		err         error
	}{
		{"code", good, plain, nil},
		{"other parameters", good + "&session_state=x&scope=a+b&session_state=y", plain, nil},
		{"state first", "state=" + state + "&code=" + code, plain, nil},
		{"an issuer that is not known", good + iss, plain, nil},
		{"the issuer", good + iss, known, nil},
		{"the issuer, always", good + iss, always, nil},
		{"no issuer", good, known, nil},
		{"no issuer, always", good, always, callback.ErrIssuer},
		{"another issuer", good + "&iss=https%3A%2F%2Fevil.example", known, callback.ErrIssuer},
		{"the issuer, spelled otherwise", good + iss + "%2F", known, callback.ErrIssuer},
		{"an empty issuer", good + "&iss=", known, callback.ErrIssuer},
		{"two issuers", good + iss + iss, known, callback.ErrMalformed},
		{"an error of another issuer", "error=access_denied&state=" + state + "&iss=https%3A%2F%2Fevil.example", known, callback.ErrIssuer},

		{"nothing", "", plain, callback.ErrState},
		{"no state", "code=" + code, plain, callback.ErrState},
		{"an error without a state", "error=access_denied", plain, callback.ErrState},
		{"an error with another state", "error=access_denied&state=x", plain, callback.ErrState},
		{"another state", "code=" + code + "&state=" + state + "x", plain, callback.ErrState},
		{"part of the state", "code=" + code + "&state=" + state[1:], plain, callback.ErrState},
		{"two states", good + "&state=" + state, plain, callback.ErrState},
		{"another issuer and state", "code=x&state=x&iss=x", always, callback.ErrState},
		{"an empty state", "code=" + code + "&state=", callback.Expected{}, callback.ErrState},
		{"nothing expected", good, callback.Expected{}, callback.ErrState},
		{"far too long", good + "&x=" + strings.Repeat("x", 1<<20), plain, callback.ErrState},

		{"state alone", "state=" + state, plain, callback.ErrMalformed},
		{"an empty code", "code=&state=" + state, plain, callback.ErrMalformed},
		{"code and error", good + "&error=access_denied", plain, callback.ErrMalformed},
		{"two codes", good + "&code=x", plain, callback.ErrMalformed},
		{"two errors", "error=a&error=b&state=" + state, plain, callback.ErrMalformed},
		{"a code with a line break", "code=a%0d%0ab&state=" + state, plain, callback.ErrMalformed},
		{"a code with a letter that no code has", "code=%C3%A4&state=" + state, plain, callback.ErrMalformed},
		{"a long code", "code=" + strings.Repeat("c", 5000) + "&state=" + state, plain, callback.ErrMalformed},
		{"broken", good + "&x=%zz", plain, callback.ErrMalformed},
		{"semicolons", good + ";x=y", plain, callback.ErrState},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := callback.Parse(c.query, c.want)
			if !errors.Is(err, c.err) || (err == nil) != (got == code) {
				t.Errorf("Parse = %q, %v; want %v", got, err, c.err)
			}
			if err != nil && strings.Contains(err.Error(), "Splxl") {
				t.Errorf("the error holds the code: %v", err)
			}
		})
	}
	_, err := callback.Parse("error=access_denied&error_description=The+user+said+no&state="+state, plain)
	var refused *callback.Refused
	if !errors.As(err, &refused) || refused.Code != "access_denied" || refused.Description != "The user said no" {
		t.Errorf("a refusal: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"code=" + code + "&state=" + state, "error=access_denied&state=" + state, "code=a&code=b&state=" + state,
		"code=x&state=" + state + "&iss=https%3A%2F%2Fas.example", "state=" + state + "&state=" + state, "%zz&state=" + state,
		"code=x;state=" + state, "", "=&=&=", "error=&code=&state=" + state,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		want := callback.Expected{State: state, Issuer: issuer}
		got, err := callback.Parse(query, want)
		params, _ := url.ParseQuery(query)
		if err == nil {
			if params.Get("state") != state || params.Get("code") != got || got == "" || params.Has("error") || len(params["code"]) != 1 {
				t.Errorf("%q: the code %q", query, got)
			}
			if params.Has("iss") && params.Get("iss") != issuer {
				t.Errorf("%q: from another issuer", query)
			}
			if strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%q: a code %q", query, got)
			}
		}
		if (len(params["state"]) != 1 || params.Get("state") != state) && !errors.Is(err, callback.ErrState) {
			t.Errorf("%q: %v without the state", query, err)
		}
		// Nobody else's state makes it an answer.
		if _, err := callback.Parse(query, callback.Expected{State: state + "x"}); !strings.Contains(query, "x") && !errors.Is(err, callback.ErrState) {
			t.Errorf("%q: %v for another request", query, err)
		}
	})
}
