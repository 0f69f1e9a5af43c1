// Package rawconfig reads and writes the INI dialect of RawConfigParser in
// Python's library configparser, with its default settings: what that parser
// takes is taken, what it refuses is refused, and what is written equals, byte
// for byte, what it writes for the same content.
package rawconfig

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Default is the section whose options Python sees in every other section. It
// is written first, and only if it has options.
const Default = "DEFAULT"

// File is the content of one file: sections in order, each with its options
// in order. Comments are not kept, as Python keeps none. The zero value is an
// empty file.
type File struct {
	sections []*section
}

type section struct {
	name    string
	options []option
}

type option struct{ name, value string }

// Error is a line that the dialect does not allow. It shows nothing of the
// line, which may hold a secret.
type Error struct {
	Line   int // from 1
	Reason string
}

// Error names the line and what is wrong with it.
func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Parse reads a file. The error is an [*Error].
func Parse(data []byte) (*File, error) {
	text := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n")
	p := parser{file: &File{}, sections: map[string]*section{}, options: map[[2]string]bool{}}
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(line); err != "" {
			return nil, &Error{Line: i + 1, Reason: err}
		}
	}
	p.finish()
	return p.file, nil
}

type parser struct {
	file    *File
	section *section
	lines   []string // of the value that is being read
	name    string   // of its option; empty before the first option of a section
	indent  int
	// What was seen, as each may stand only once.
	sections map[string]*section
	options  map[[2]string]bool // section, option
}

// line follows RawConfigParser._read and returns what is wrong, if anything.
func (p *parser) line(line string) string {
	if !utf8.ValidString(line) {
		return "not UTF-8 text"
	}
	text := strings.TrimFunc(line, isSpace)
	if strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";") {
		return ""
	}
	if text == "" {
		if p.name != "" {
			p.lines = append(p.lines, "")
		}
		return ""
	}
	indent := utf8.RuneCountInString(line[:strings.Index(line, text)])
	if p.name != "" && indent > p.indent {
		p.lines = append(p.lines, text)
		return ""
	}
	p.finish()
	p.indent = indent
	if end := strings.LastIndex(text, "]"); text[0] == '[' && end > 1 {
		return p.header(text[1:end])
	}
	if p.section == nil {
		return "an entry before the first [section]"
	}
	delimiter := strings.IndexAny(text, "=:")
	if delimiter < 0 {
		return "neither a [section] nor an entry with = or :"
	}
	name := OptionName(strings.TrimRightFunc(text[:delimiter], isSpace))
	if name == "" {
		return "an entry without a name"
	}
	if p.options[[2]string{p.section.name, name}] {
		return "the second entry of the same name"
	}
	p.options[[2]string{p.section.name, name}] = true
	p.section.options = append(p.section.options, option{name: name})
	p.name, p.lines = name, []string{strings.TrimFunc(text[delimiter+1:], isSpace)}
	return ""
}

func (p *parser) header(name string) string {
	earlier, ok := p.sections[name]
	switch {
	case !ok:
		p.section = &section{name: name}
		p.sections[name] = p.section
		p.file.sections = append(p.file.sections, p.section)
	case name == Default:
		p.section = earlier
	default:
		return "the second [section] of the same name"
	}
	return ""
}

// finish ends the value that is being read.
func (p *parser) finish() {
	if p.name == "" {
		return
	}
	value := strings.TrimRightFunc(strings.Join(p.lines, "\n"), isSpace)
	p.section.options[len(p.section.options)-1].value = value
	p.name, p.lines = "", nil
}

// OptionName is how the dialect spells the name of an option: in lower case.
func OptionName(name string) string { return strings.ToLower(name) }

// isSpace is str.isspace of Python, which counts four separators of ASCII
// that Unicode does not.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// Bytes returns the file as RawConfigParser.write writes it.
func (f *File) Bytes() []byte {
	var b strings.Builder
	for _, s := range f.sections {
		if s.name == Default && len(s.options) > 0 {
			s.write(&b)
		}
	}
	for _, s := range f.sections {
		if s.name != Default {
			s.write(&b)
		}
	}
	return []byte(b.String())
}

func (s *section) write(b *strings.Builder) {
	b.WriteString("[" + s.name + "]\n")
	for _, o := range s.options {
		b.WriteString(o.name + " = " + strings.ReplaceAll(o.value, "\n", "\n\t") + "\n")
	}
	b.WriteString("\n")
}
