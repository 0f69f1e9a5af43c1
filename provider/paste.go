package provider

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/authring/authring/secret"
)

const (
	// maxPaste bounds what is looked at. A redirect URL is longer than its
	// code.
	maxPaste = 64 << 10

	// maxCode bounds an authorization code. No length is documented; those
	// seen have about 43 characters.
	maxCode = 4 << 10
)

// answerParam finds a parameter of an authorization request or its answer in a
// URL, a query, or a fragment.
var answerParam = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(^|[?&#;\s"'])(code|error|state|access_token|refresh_token|client_id|response_type)=`)
})

// ParseCode reads an authorization code as people paste it: with spaces, quotes
// or line breaks around it, or inside the redirect URL or query that holds it
// (RFC 6749 section 4.1.2). A redirect that says that access was denied is an
// [ErrAccessDenied] (section 4.1.2.1). What is known to be something else, such
// as an access token, is an [ErrNotACode] that says what it is. Errors do not
// repeat the input.
//
// Section 4.1.2: "The client should avoid making assumptions about code value
// sizes." Only the server can tell whether it is a good one.
func ParseCode(input string) (secret.Secret, error) {
	if len(input) > maxPaste {
		return secret.Secret{}, notACode("it is far too long")
	}
	text := CleanPaste(input)
	if text == "" {
		return secret.Secret{}, notACode("nothing was entered; paste the code that the page shows")
	}
	if strings.Contains(text, "://") || answerParam().MatchString(text) {
		code, err := codeFromAnswer(text)
		if err != nil {
			return secret.Secret{}, err
		}
		if text = trimPaste(code); answerParam().MatchString(text) || strings.Contains(text, "://") {
			return secret.Secret{}, notACode("it is an address inside an address; paste the code alone")
		}
	}
	return checkCode(text)
}

// checkCode takes a text that should be the code itself.
func checkCode(text string) (secret.Secret, error) {
	lower := strings.ToLower(text)
	switch {
	case strings.HasPrefix(lower, "sl."), strings.HasPrefix(lower, "bearer "):
		return secret.Secret{}, notACode("it is an access token; paste the code that the page shows after access is allowed")
	case strings.Contains(lower, "refresh_token"):
		return secret.Secret{}, notACode("it is a refresh token; paste the code that the page shows after access is allowed")
	case strings.Contains(lower, "access_token"):
		return secret.Secret{}, notACode("it is an answer that holds an access token; paste the code that the page shows after access is allowed")
	case strings.Contains(lower, "oauth2/authorize"):
		return secret.Secret{}, notACode("it is part of the address of the page; open that in a browser, allow access, and paste the code that it shows")
	case text == "":
		return secret.Secret{}, notACode("the address holds an empty code")
	case strings.ContainsFunc(text, unicode.IsSpace):
		return secret.Secret{}, notACode("there are spaces or line breaks inside; paste the code alone, in one piece")
	case len(text) > maxCode:
		return secret.Secret{}, notACode("it is too long")
	case !isVisible(text, maxCode):
		// RFC 6749 appendix A.11: code = 1*VSCHAR.
		return secret.Secret{}, notACode("it holds characters that no code has; copy it again")
	}
	return secret.New(text), nil
}

// codeFromAnswer takes the code out of a redirect URL, its query, or the
// address of the page.
func codeFromAnswer(text string) (string, error) {
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return "", notACode("there are spaces or line breaks inside; paste the code alone, or the whole address in one piece")
	}
	params := url.Values{}
	for _, part := range answerParts(text) {
		// Broken pairs are left out, the others kept.
		values, _ := url.ParseQuery(part)
		for name, list := range values {
			params[name] = append(params[name], list...)
		}
	}
	// Looked at in this order: an answer holds an error or a code, never
	// both, and the error is the one to be believed.
	switch {
	case params.Get("error") == "access_denied":
		return "", ErrAccessDenied
	case params.Has("error"):
		return "", notACode("it is an address that reports an error; open the page again and allow access")
	case params.Has("access_token"):
		return "", notACode("it is an address that holds an access token, not a code")
	case params.Has("refresh_token"):
		return "", notACode("it is a refresh token; paste the code that the page shows after access is allowed")
	case len(params["code"]) > 1:
		// RFC 6749 section 3.1: "Request and response parameters MUST NOT be
		// included more than once."
		return "", notACode("the address holds more than one code")
	case params.Has("code"):
		return params.Get("code"), nil
	case params.Has("client_id"), params.Has("response_type"), strings.Contains(text, "oauth2/authorize"):
		return "", notACode("it is the address of the page; open it in a browser, allow access, and paste the code that it shows")
	}
	return "", notACode("the address holds no code; paste the code that the page shows")
}

// answerParts splits a URL into what may hold parameters: query and fragment.
// A text that is a query alone is one part.
func answerParts(text string) []string {
	text, fragment, _ := strings.Cut(text, "#")
	before, query, found := strings.Cut(text, "?")
	if !found && !strings.Contains(before, "://") {
		query = before
	}
	return []string{query, fragment}
}

// encodedAddress is the start of an address that was escaped as a whole (RFC
// 3986 section 2.1), as one inside of another is.
var encodedAddress = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^[a-z][a-z0-9+.-]*%(25)?3a%(25)?2f%(25)?2f`)
})

// CleanPaste undoes what becomes of a code or an address when it is copied from
// a page, a mail or a terminal: spaces and quotes around it are taken off, and
// an address that is broken over lines, escaped as a whole or written as HTML
// is mended. Nothing else is changed.
func CleanPaste(input string) string {
	if len(input) > maxPaste {
		return input
	}
	text := trimPaste(input)
	for encodedAddress().MatchString(text) {
		plain, err := url.PathUnescape(text)
		if err != nil {
			break
		}
		text = plain
	}
	if !strings.Contains(text, "://") && !answerParam().MatchString(text) {
		return text
	}
	return strings.ReplaceAll(joinLines(text), "&amp;", "&")
}

// joinLines puts an address together that is broken over lines, each with a
// margin perhaps. What holds more than that, such as other words or a blank
// line, stays as it is.
func joinLines(text string) string {
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
	for i, line := range lines {
		if lines[i] = strings.TrimSpace(line); lines[i] == "" {
			return text
		}
	}
	joined := strings.Join(lines, "")
	if strings.ContainsFunc(joined, unicode.IsSpace) {
		return text
	}
	return joined
}

// trimPaste removes what comes along when text is copied from a page, a mail or
// a chat: space, line breaks, quotes, brackets, and characters that do not show.
func trimPaste(text string) string {
	return strings.TrimFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("\"'`<>“”„‘’‚«»‹›", r)
	})
}

func notACode(why string) error {
	return fmt.Errorf("%w: %s", ErrNotACode, why)
}
