package matrix

import (
	"errors"
	"strings"
)

// The lines of a document between which the table is.
const (
	begin = "<!-- made by ./test: matrix -->\n"
	end   = "<!-- end of matrix -->\n"
)

// Split returns the table of a document, and what is before and after it.
func Split(document string) (before, table, after string, err error) {
	before, rest, found := strings.Cut(document, begin)
	table, after, ended := strings.Cut(rest, end)
	if !found || !ended || strings.Contains(after, begin) {
		return "", "", "", errors.New("it has to have one table between " + strings.TrimSpace(begin) + " and " + strings.TrimSpace(end))
	}
	return before + begin, table, end + after, nil
}

// Equal reports whether two tables say the same, but for versions: those differ
// from one machine to the next.
func Equal(a, b string) bool { return withoutVersions(a) == withoutVersions(b) }

func withoutVersions(table string) string {
	var b strings.Builder
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) > versionColumn {
			cells[versionColumn] = ""
		}
		b.WriteString(strings.Join(cells, "|"))
	}
	return b.String()
}
