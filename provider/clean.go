package provider

import (
	"strings"
	"unicode"

	"github.com/authring/authring/secret"
)

const (
	// maxSaid bounds what is kept of a text that a server wrote, in runes.
	maxSaid = 200

	// telltale is the length from which on a run of characters shared with a
	// secret is taken out of such a text. A server may echo a token whole, cut
	// or wrapped; English words of its messages must survive.
	telltale = 8
)

// clean makes a text of the server fit to be shown: one line, printable, of at
// most 200 characters, and with no run of characters of the secrets.
func clean(text string, secrets []secret.Secret) string {
	// A bound before the work, far above the one after it.
	const enough = 64 * maxSaid
	if len(text) > enough {
		text = text[:enough]
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	text = strings.Join(strings.Fields(text), " ")
	// Last, on the text as it will be seen, and before it is cut.
	for _, s := range secrets {
		text = mask(text, s.Reveal())
	}
	if runes := []rune(text); len(runes) > maxSaid {
		text = string(runes[:maxSaid-1]) + "…"
	}
	return text
}

// mask replaces each run of text that stands in value, too.
func mask(text, value string) string {
	if value == "" {
		return text
	}
	if len(value) < telltale {
		return strings.ReplaceAll(text, value, secret.Mask)
	}
	if len(text) < telltale {
		return text
	}
	grams := make(map[string]struct{}, len(value))
	for i := 0; i+telltale <= len(value); i++ {
		grams[value[i:i+telltale]] = struct{}{}
	}
	var out strings.Builder
	end := 0 // of the run that is being left out
	for i := 0; i < len(text); i++ {
		if i+telltale <= len(text) {
			if _, found := grams[text[i:i+telltale]]; found {
				if i >= end {
					out.WriteString(secret.Mask)
				}
				end = i + telltale
			}
		}
		if i >= end {
			out.WriteByte(text[i])
		}
	}
	return strings.ToValidUTF8(out.String(), "")
}

// cleanWord keeps a text only if it is what an error code, a tag, or a request
// id is: a few visible ASCII characters (RFC 6749 section 5.2 lets an error
// code hold %x20-21 / %x23-5B / %x5D-7E).
func cleanWord(text string, secrets []secret.Secret) string {
	if len(text) > 64 {
		return ""
	}
	for i := 0; i < len(text); i++ {
		if text[i] <= ' ' || text[i] > '~' {
			return ""
		}
	}
	return clean(text, secrets)
}
