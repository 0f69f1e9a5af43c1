package cure

import "strings"

// Quote quotes a word that a shell would read otherwise. Both of Windows' take
// double quotes, and hand on a quote that is behind a backslash, with the
// backslashes before it doubled, as programs read it.
func Quote(word string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(`-_./:\+=`, r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	quoted := []rune{'"'}
	backslashes := 0
	double := func() {
		for range backslashes {
			quoted = append(quoted, '\\')
		}
	}
	for _, r := range word {
		switch r {
		case '\\':
			backslashes++
		case '"':
			double()
			quoted = append(quoted, '\\')
			backslashes = 0
		default:
			backslashes = 0
		}
		quoted = append(quoted, r)
	}
	double()
	return string(append(quoted, '"'))
}
