package provider_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/authring/authring/provider"
)

func TestParseCode(t *testing.T) {
	c := code.Reveal()
	for _, input := range []string{
		c, " " + c + "\n", "\t\r\n" + c + "\r\n\r\n", `"` + c + `"`, "'" + c + "'", "`" + c + "`", "“" + c + "”", "«" + c + "»", "<" + c + ">",
		"\u00a0" + c + "\u200b", "\ufeff" + c, "\u2066" + c + "\u2069",
		"code=" + c, "?code=" + c, "  code=" + c + "&state=xyz", "state=xyz&code=" + c,
		"http://127.0.0.1:53682/?code=" + c + "&state=a%20b",
		"http://localhost:53682/?state=abc&code=" + c + "#_=_",
		"localhost:53682/?state=abc&code=" + c,
		"https://app.example/cb#code=" + c,
		"<http://127.0.0.1:53682/?code=" + c + ">",
		"http://127.0.0.1:53682/?code=%20" + c + "%0A",
		"http://127.0.0.1:53682/?x=%zz&code=" + c,
		// Broken over lines, escaped as a whole, once and twice, and as HTML.
		"http://127.0.0.1:53682/?code=" + c[:9] + "\r\n" + c[9:] + "&state=a\r\n",
		"http://127.0.0.1:53682/\n  ?state=abc\n  &code=" + c[:9] + "\n\t" + c[9:],
		"http://127.0.0.1:53682/?code=" + c[:9] + "\r" + c[9:] + "\r",
		"localhost:53682/?state=abc\n&code=" + c,
		"http%3A%2F%2F127.0.0.1%3A53682%2F%3Fcode%3D" + c + "%26state%3Da",
		"http%3a%2f%2f127.0.0.1%3A53682%2F%3Fstate%3Da%2520b%26code%3D" + c,
		"http%253A%252F%252F127.0.0.1%253A53682%252F%253Fcode%253D" + c + "%2526state%253Da",
		"http://127.0.0.1:53682/?state=a&amp;code=" + c + "&amp;iss=x",
	} {
		got, err := provider.ParseCode(input)
		if err != nil || !got.Equal(code) {
			t.Errorf("ParseCode(%q) = %q, %v", input, got.Reveal(), err)
		}
	}
	// Nothing is assumed about what a code looks like.
	for _, input := range []string{"x", "1", strings.Repeat("x", 4096), "a.b~c/d+e==", "4/0AX4XfWh_?;", "slow.code"} {
		if got, err := provider.ParseCode(input); err != nil || got.Reveal() != input {
			t.Errorf("ParseCode(%q) = %q, %v", input, got.Reveal(), err)
		}
	}
}

func TestParseCodeExplains(t *testing.T) {
	authURL := newClient(t, provider.Dropbox()).AuthCodeURL(provider.AuthRequest{Challenge: provider.Challenge(verifier)})
	for input, want := range map[string]string{
		"":                               "nothing was entered",
		" \r\n\t\"\" ":                   "nothing was entered",
		access.Reveal():                  "an access token",
		"Bearer " + access.Reveal():      "an access token",
		"bearer " + strings.ToUpper("x"): "an access token",
		`{"access_token":"` + access.Reveal() + `"}`:                         "an access token",
		"http://127.0.0.1/#access_token=" + access.Reveal() + "&token_type=": "an access token",
		"http://127.0.0.1/?code=" + access.Reveal():                          "an access token",
		"refresh_token=" + refresh.Reveal():                                  "a refresh token",
		`"refresh_token": "` + refresh.Reveal() + `"`:                        "a refresh token",
		authURL:                                 "the address of the page",
		strings.TrimPrefix(authURL, "https://"): "the address of the page",
		"https://www.dropbox.com/oauth2/authorize":                                       "the address of the page",
		"www.dropbox.com/oauth2/authorize":                                               "the address of the page",
		"http://127.0.0.1:53682/?error=access_denied&error_description=" + code.Reveal(): "denied",
		"error=access_denied&state=x":                                                    "denied",
		"?code=x&error=access_denied":                                                    "denied",
		"http://127.0.0.1/?error=server_error":                                           "reports an error",
		"http://127.0.0.1:53682/?state=x":                                                "no code",
		"https://www.dropbox.com/":                                                       "no code",
		"http://127.0.0.1/?code=":                                                        "empty code",
		"code=":                                                                          "empty code",
		"http://127.0.0.1/?code=a&code=b":                                                "more than one code",
		"CODE=" + code.Reveal():                                                          "no code",
		"code=a#code=b":                                                                  "more than one code",
		"http://127.0.0.1/?code=code%3D" + code.Reveal():                                 "inside an address",
		"half of\n" + code.Reveal():                                                      "spaces or line breaks",
		"code=half of " + code.Reveal():                                                  "spaces or line breaks",
		"the code is " + code.Reveal():                                                   "spaces or line breaks",
		"a\x00b":                                                                         "characters that no code has",
		"a\x1b[31mb":                                                                     "characters that no code has",
		"cöde":                                                                           "characters that no code has",
		"a\xffb":                                                                         "characters that no code has",
		strings.Repeat("x", 4097):                                                        "too long",
		strings.Repeat("x", 1<<20):                                                       "far too long",
		"code=" + strings.Repeat("x", 4097):                                              "too long",
	} {
		got, err := provider.ParseCode(input)
		if err == nil || !got.IsZero() {
			t.Errorf("ParseCode(%.80q) = %q, %v", input, got.Reveal(), err)
			continue
		}
		if !errors.Is(err, provider.ErrNotACode) || !errors.Is(err, provider.ErrInvalidToken) || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseCode(%.80q): %v, want an ErrNotACode with %q", input, err, want)
		}
		if denied := want == "denied"; errors.Is(err, provider.ErrAccessDenied) != denied {
			t.Errorf("ParseCode(%.80q): %v, ErrAccessDenied: want %v", input, err, denied)
		}
		noSecret(t, err.Error(), code, access, refresh)
	}
}
