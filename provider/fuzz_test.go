package provider_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/provider"
	"github.com/authring/authring/secret"
)

// FuzzTokenAnswer: whatever a token endpoint answers, nothing panics, nothing
// secret shows, and nothing but the word of RFC 6749 ends a link.
func FuzzTokenAnswer(f *testing.F) {
	for _, status := range []int{200, 400, 401, 429, 500, 302} {
		f.Add(status, "application/json", "1", grantJSON())
		f.Add(status, "application/json; charset=utf-8", "Tue, 15 Nov 2022 12:45:26 GMT", `{"error":"invalid_grant","error_description":"refresh token is invalid or revoked"}`)
		f.Add(status, "text/html", "", "<html>")
	}
	f.Add(400, "application/json", "", `{"error":"invalid_client: Invalid client_id or client_secret"}`)
	f.Add(400, "application/json", "", `{"error":"v1_retired"}`)
	f.Add(200, "", "1e400", `{"access_token":"a","token_type":"Bearer","expires_in":"-1e400"}`)
	f.Add(400, "text/javascript", "-1", `{"error":"invalid_grant","error":"x","error_description":"`+refresh.Reveal()+`"}`)
	f.Add(400, "application/json", "", `{"error":"`+code.Reveal()+`: `+verifier.Reveal()+`"}`)
	f.Fuzz(func(t *testing.T, status int, contentType, retryAfter, body string) {
		header := http.Header{"Content-Type": {contentType}, "Retry-After": {retryAfter}, "Location": {body}, "X-Dropbox-Request-Id": {body}}
		c := newClient(t, provider.Dropbox(), provider.WithHTTPTransport(canned(status, header, body)),
			provider.WithRetry(provider.Retry{Tries: 1}))

		token, err := c.Exchange(t.Context(), code, verifier, "")
		checkAnswer(t, status, token, err, code, verifier)
		if errors.Is(err, provider.ErrRevoked) {
			t.Error("a code was told to be a revoked grant")
		}

		token, err = c.Refresh(t.Context(), refresh, nil)
		checkAnswer(t, status, token, err, refresh)
		if errors.Is(err, provider.ErrRevoked) && !saysInvalidGrant(status, body) {
			t.Errorf("%d %q was told to be a revoked grant", status, body)
		}

		_, err = c.Account(t.Context(), access)
		checkAnswer(t, status, nil, err, access)
		if errors.Is(err, provider.ErrRevoked) {
			t.Error("an API answer was told to be a revoked grant")
		}
	})
}

func checkAnswer(t *testing.T, status int, token *provider.Token, err error, sent ...secret.Secret) {
	t.Helper()
	if err == nil {
		if status < 200 || status > 299 {
			t.Errorf("status %d is a success", status)
		}
		if token != nil && (token.AccessToken.IsZero() || token.ExpiresIn < 0 || token.ExpiresIn > 87600*time.Hour ||
			token.ExpiresIn > 0 && token.ExpiresIn < time.Second || strings.ContainsAny(token.AccessToken.Reveal()+token.RefreshToken.Reveal()+token.AccountID+token.TeamID+token.Scope, "\r\n\x00")) {
			t.Errorf("token = %+v", *token)
		}
		return
	}
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || errors.Is(err, provider.ErrInvalidToken) == errors.Is(err, provider.ErrConnectionFailed) {
		t.Fatalf("error = %#v, want one kind of *Error", err)
	}
	noSecret(t, err.Error(), sent...)
	if len([]rune(e.Description)) > 200 || len(e.Code) > 64 || e.RetryAfter < 0 || e.RetryAfter > 87600*time.Hour || !e.Sent {
		t.Errorf("error = %+v", *e)
	}
}

// saysInvalidGrant is the rule, written a second time.
func saysInvalidGrant(status int, body string) bool {
	var members map[string]any
	if status != 400 && status != 401 || json.Unmarshal([]byte(body), &members) != nil {
		return false
	}
	word, _ := members["error"].(string)
	return word == "invalid_grant" || strings.HasPrefix(word, "invalid_grant:")
}

// FuzzParseCode: what comes out can be sent; what is refused is not repeated;
// and a code that was taken out of a paste is taken as it is the next time.
func FuzzParseCode(f *testing.F) {
	for _, input := range []string{
		"", "code", " 'code' ", "code=abc", "?code=abc&state=x", "http://127.0.0.1:53682/?code=abc#_=_", "http://x/#code=abc",
		"error=access_denied", "sl.u.abcdefgh", "Bearer abc", "refresh_token=abc", "https://www.dropbox.com/oauth2/authorize?client_id=x",
		"http%3A%2F%2Fx%2F%3Fcode%3Da", "http://x/?code=a\n b&amp;state=x", "code=code%3Dx", "code=%22x%22", "code=a%00b", "\ufeffabc\u200b", "a b", "%", "http://", "code=a&code=b", "code=http%3A%2F%2Fx",
	} {
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input string) {
		got, err := provider.ParseCode(input)
		if err != nil {
			if !got.IsZero() || !errors.Is(err, provider.ErrNotACode) || !errors.Is(err, provider.ErrInvalidToken) || len(err.Error()) > 250 {
				t.Errorf("ParseCode(%q) = %q, %v", input, got.Reveal(), err)
			}
			return
		}
		value := got.Reveal()
		if value == "" || len(value) > 4096 || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("ParseCode(%q) = %q", input, value)
		}
		if again, err := provider.ParseCode(value); err != nil || !again.Equal(got) {
			t.Errorf("ParseCode(%q) = %q, and of that %q, %v", input, value, again.Reveal(), err)
		}
	})
}
