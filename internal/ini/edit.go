package ini

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Set gives a key, in lower case, a value. A key that has this value already
// is left as it is written. A new key goes below the last one of its section,
// a new section to the end. A value that a line cannot hold makes [File.Bytes]
// fail.
func (f *File) Set(section, key, value string) {
	if got, _ := f.Get(section, key); got == value && f.Has(section, key) {
		return
	}
	if !utf8.ValidString(value) || strings.ContainsAny(value, "\x00\r\n") || strings.TrimFunc(value, isSpace) != value {
		if f.err == nil {
			f.err = fmt.Errorf("the value of %s in [%s] does not fit on a line", key, section)
		}
		return
	}
	at, known := f.find(section, key)
	switch {
	case at >= 0:
		old := f.lines[at].raw
		f.lines[at] = f.newOption(section, key, value, indentation(old), lineEnd(old))
		f.dropContinuations(at + 1)
	case known:
		f.insert(section, key, value)
	default:
		f.appendSection(section)
		f.insert(section, key, value)
	}
}

// Delete removes a key, given in lower case, and its value. Comments stay.
func (f *File) Delete(section, key string) {
	at, _ := f.find(section, key)
	if at < 0 {
		return
	}
	f.lines = slices.Delete(f.lines, at, at+1)
	f.dropContinuations(at)
}

// Prune removes a section that has neither keys nor comments.
func (f *File) Prune(section string) {
	start := slices.IndexFunc(f.lines, func(l line) bool { return l.kind == header && l.section == section })
	if start < 0 {
		return
	}
	end := start + 1
	for end < len(f.lines) && f.lines[end].kind == blank {
		end++
	}
	if end < len(f.lines) {
		// A header that is indented deeper would come to continue the value
		// above.
		next := f.lines[end]
		if next.kind != header || depth(next.raw) > depth(f.lines[start].raw) {
			return
		}
	}
	f.lines = slices.Delete(f.lines, start, end)
}

// Bytes returns the file as it is to be written, or why an edit could not be
// made.
func (f *File) Bytes() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	var text strings.Builder
	for _, l := range f.lines {
		text.WriteString(l.raw)
	}
	return []byte(text.String()), nil
}

// insert puts a new option below the last one of a section that exists.
func (f *File) insert(section, key, value string) {
	after, hasOption := 0, false
	for i, l := range f.lines {
		if l.section == section && (l.kind == header || l.kind == option || l.kind == continuation) {
			after = i
			hasOption = hasOption || l.kind == option
		}
	}
	// Deeper than its neighbours a line would continue their value, and less
	// deep than the next it would swallow that one: it is indented as the
	// option above, or, as a section's first, as the header below.
	indent := ""
	for i := after; hasOption && i >= 0; i-- {
		if f.lines[i].kind == option {
			indent = indentation(f.lines[i].raw)
			break
		}
	}
	if !hasOption {
		for _, l := range f.lines[after+1:] {
			if l.kind == header {
				indent = indentation(l.raw)
				break
			}
		}
	}
	end := f.endLine(after)
	f.lines = slices.Insert(f.lines, after+1, f.newOption(section, key, value, indent, end))
}

// appendSection puts a header at the end, with an empty line before it.
func (f *File) appendSection(section string) {
	end := "\n"
	if last := len(f.lines) - 1; last >= 0 {
		end = f.endLine(last)
		if f.lines[last].kind != blank {
			f.lines = append(f.lines, line{raw: end, kind: blank})
		}
	}
	f.lines = append(f.lines, line{raw: "[" + section + "]" + end, kind: header, section: section})
}

// endLine makes sure that a line is ended, and returns how.
func (f *File) endLine(at int) string {
	end := lineEnd(f.lines[at].raw)
	if !strings.HasSuffix(f.lines[at].raw, end) {
		f.lines[at].raw += end
	}
	return end
}

// dropContinuations removes the rest of a value that began above at.
func (f *File) dropContinuations(at int) {
	for at < len(f.lines) {
		switch f.lines[at].kind {
		case header, option:
			return
		case continuation:
			f.lines = slices.Delete(f.lines, at, at+1)
		default:
			at++
		}
	}
}

func (f *File) newOption(section, key, value, indent, end string) line {
	return line{raw: indent + key + " = " + value + end, kind: option, section: section, key: key, text: value}
}

func lineEnd(raw string) string {
	switch {
	case strings.HasSuffix(raw, "\r\n"):
		return "\r\n"
	case strings.HasSuffix(raw, "\r"):
		return "\r"
	default:
		return "\n"
	}
}
