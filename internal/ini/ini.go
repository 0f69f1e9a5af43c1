// Package ini reads and edits files in the dialect of Python's ConfigParser
// (no interpolation, strict), which is what Maestral writes. An edit touches
// the lines of its own option; every other line stays byte for byte.
//
// The dialect: "[section]" headers; "key = value" or "key: value"; keys are
// compared in lower case, section names exactly; lines that start with # or ;
// are comments; a line that is indented deeper than its option continues the
// value; options of [DEFAULT] are seen in every section.
package ini

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SyntaxError is a file that ConfigParser would refuse as well.
type SyntaxError struct {
	Line   int // 1 is the first
	Reason string
}

// Error gives the line and what is wrong with it, never its text.
func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// File is a parsed file. Not safe for concurrent use while it is edited.
type File struct {
	lines []line
	err   error // the first edit that could not be made
}

type kind int

const (
	blank kind = iota
	comment
	header
	option
	continuation
)

type line struct {
	raw     string // as in the file, with its line end
	kind    kind
	section string // of every line below a header, and of the header
	key     string // of an option and its continuations, in lower case
	text    string // the value's part on this line
}

// Parse reads a whole file; a failure is a [*SyntaxError].
func Parse(data []byte) (*File, error) {
	f := &File{}
	section, key, indent, inSection := "", "", 0, false
	sections, options := map[string]bool{}, map[[2]string]bool{}
	for i, raw := range split(string(data)) {
		fail := func(reason string) (*File, error) { return nil, &SyntaxError{Line: i + 1, Reason: reason} }
		switch {
		case !utf8.ValidString(raw):
			return fail("not UTF-8 text")
		case strings.ContainsRune(raw, 0):
			return fail("holds a NUL byte")
		case i == 0 && strings.HasPrefix(raw, "\ufeff"):
			return fail("starts with a byte order mark; save the file as UTF-8 without one")
		}
		l := line{raw: raw, section: section, key: key}
		text := strings.TrimFunc(raw, isSpace)
		switch {
		case text == "":
			l.kind = blank
		case text[0] == '#' || text[0] == ';':
			l.kind = comment
		case key != "" && depth(raw) > indent:
			l.kind, l.text = continuation, text
		default:
			indent = depth(raw)
			name, isHeader := headerName(text)
			at := strings.IndexAny(text, "=:")
			switch {
			case isHeader:
				if sections[name] {
					return fail("a second section of the same name")
				}
				// ConfigParser lets [DEFAULT] come in several parts.
				sections[name] = name != defaults
				section, key, inSection = name, "", true
				l.kind = header
			case !inSection:
				return fail("text before the first [section]")
			case at < 0:
				return fail("neither a [section] nor key = value")
			case at == 0:
				return fail("no key before " + text[:1])
			default:
				key = strings.ToLower(strings.TrimRightFunc(text[:at], isSpace))
				if options[[2]string{section, key}] {
					return fail("a second value for the same key")
				}
				options[[2]string{section, key}] = true
				l.kind, l.text = option, strings.TrimLeftFunc(text[at+1:], isSpace)
			}
			l.section, l.key = section, key
		}
		f.lines = append(f.lines, l)
	}
	return f, nil
}

// defaults is the section whose options every section has.
const defaults = "DEFAULT"

// Get returns the value of a key, given in lower case. Lines of a value are
// joined by line feeds.
func (f *File) Get(section, key string) (string, bool) {
	first, known := f.find(section, key)
	if first < 0 {
		if !known || section == defaults {
			return "", false
		}
		return f.Get(defaults, key)
	}
	parts := []string{f.lines[first].text}
	for _, l := range f.lines[first+1:] {
		if l.kind == header || l.kind == option {
			break
		}
		if l.kind != comment {
			parts = append(parts, l.text)
		}
	}
	return strings.TrimRightFunc(strings.Join(parts, "\n"), isSpace), true
}

// Has reports whether a section itself holds a key, given in lower case.
func (f *File) Has(section, key string) bool {
	at, _ := f.find(section, key)
	return at >= 0
}

// Line returns the line at which a key of a section, or of [DEFAULT], begins;
// 1 is the first, and 0 means that there is none.
func (f *File) Line(section, key string) int {
	at, known := f.find(section, key)
	if at < 0 && known {
		at, _ = f.find(defaults, key)
	}
	return at + 1
}

// Sections returns the names of all sections, in order, without [DEFAULT].
func (f *File) Sections() []string {
	var names []string
	for _, l := range f.lines {
		if l.kind == header && l.section != defaults {
			names = append(names, l.section)
		}
	}
	return names
}

// Keys returns the keys of a section, in order.
func (f *File) Keys(section string) []string {
	var keys []string
	for _, l := range f.lines {
		if l.kind == option && l.section == section {
			keys = append(keys, l.key)
		}
	}
	return keys
}

// IsBlank reports whether nothing is left but empty lines.
func (f *File) IsBlank() bool {
	for _, l := range f.lines {
		if l.kind != blank {
			return false
		}
	}
	return true
}

// find returns the line of an option, or -1, and whether its section exists.
func (f *File) find(section, key string) (at int, known bool) {
	for i, l := range f.lines {
		if l.section != section {
			continue
		}
		switch {
		case l.kind == header:
			known = true
		case l.kind == option && l.key == key:
			return i, true
		}
	}
	return -1, known
}

// headerName returns the name in "[name]". As in ConfigParser, the last
// bracket ends it and what follows is ignored.
func headerName(text string) (string, bool) {
	end := strings.LastIndexByte(text, ']')
	if text[0] != '[' || end < 2 {
		return "", false
	}
	return text[1:end], true
}

// split cuts text after each line end: LF, CR LF, or CR alone.
func split(text string) []string {
	var lines []string
	for text != "" {
		end := strings.IndexAny(text, "\r\n")
		switch {
		case end < 0:
			end = len(text)
		case strings.HasPrefix(text[end:], "\r\n"):
			end += 2
		default:
			end++
		}
		lines = append(lines, text[:end])
		text = text[end:]
	}
	return lines
}

func indentation(raw string) string {
	return raw[:len(raw)-len(strings.TrimLeftFunc(raw, isSpace))]
}

func depth(raw string) int { return utf8.RuneCountInString(indentation(raw)) }

// isSpace is what Python's str.strip takes away: to Unicode's white space it
// adds the four information separators.
func isSpace(r rune) bool { return unicode.IsSpace(r) || '\x1c' <= r && r <= '\x1f' }
