package agentclient

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// deepest is how far values may be nested that are passed over.
const deepest = 16

// parseObject reads a JSON object (RFC 8259) and hands over its members that
// are strings, and those that are numbers, as they are written. The others are
// passed over: a later agent may say more. Package encoding/json would do, but
// for what it costs a program to start with it.
func parseObject(data []byte, text, number func(name, value string)) error {
	p := &parser{data: data}
	if !p.object(0, text, number) {
		return errMalformed
	}
	p.space()
	if len(p.data) > 0 || !utf8.Valid(data) {
		return errMalformed
	}
	return nil
}

type parser struct{ data []byte } // what is left

func (p *parser) space() {
	for len(p.data) > 0 {
		switch p.data[0] {
		case ' ', '\t', '\n', '\r':
			p.data = p.data[1:]
		default:
			return
		}
	}
}

// take passes over c, after white space, if it is next.
func (p *parser) take(c byte) bool {
	p.space()
	if len(p.data) == 0 || p.data[0] != c {
		return false
	}
	p.data = p.data[1:]
	return true
}

func (p *parser) object(depth int, text, number func(name, value string)) bool {
	if !p.take('{') {
		return false
	}
	if p.take('}') {
		return true
	}
	for {
		p.space()
		name, ok := p.text()
		if !ok || !p.take(':') || !p.value(depth, name, text, number) {
			return false
		}
		if p.take('}') {
			return true
		}
		if !p.take(',') {
			return false
		}
	}
}

func (p *parser) list(depth int) bool {
	if !p.take('[') {
		return false
	}
	if p.take(']') {
		return true
	}
	for {
		if !p.value(depth, "", nil, nil) {
			return false
		}
		if p.take(']') {
			return true
		}
		if !p.take(',') {
			return false
		}
	}
}

func (p *parser) value(depth int, name string, text, number func(name, value string)) bool {
	p.space()
	if len(p.data) == 0 || depth >= deepest {
		return false
	}
	switch c := p.data[0]; {
	case c == '"':
		value, ok := p.text()
		if ok && text != nil {
			text(name, value)
		}
		return ok
	case c == '{':
		return p.object(depth+1, nil, nil)
	case c == '[':
		return p.list(depth + 1)
	case c == '-' || '0' <= c && c <= '9':
		value, ok := p.number()
		if ok && number != nil {
			number(name, value)
		}
		return ok
	default:
		return p.word("true") || p.word("false") || p.word("null")
	}
}

func (p *parser) word(word string) bool {
	rest, ok := strings.CutPrefix(string(p.data[:min(len(word), len(p.data))]), word)
	if !ok || rest != "" {
		return false
	}
	p.data = p.data[len(word):]
	return true
}

// number = [ minus ] int [ frac ] [ exp ]
func (p *parser) number() (string, bool) {
	start := p.data
	if p.data[0] == '-' {
		p.data = p.data[1:]
	}
	zero := len(p.data) > 0 && p.data[0] == '0'
	if n := p.digits(); n == 0 || zero && n > 1 {
		return "", false
	}
	if len(p.data) > 0 && p.data[0] == '.' {
		p.data = p.data[1:]
		if p.digits() == 0 {
			return "", false
		}
	}
	if len(p.data) > 0 && p.data[0]|0x20 == 'e' {
		p.data = p.data[1:]
		if len(p.data) > 0 && (p.data[0] == '+' || p.data[0] == '-') {
			p.data = p.data[1:]
		}
		if p.digits() == 0 {
			return "", false
		}
	}
	return string(start[:len(start)-len(p.data)]), true
}

func (p *parser) digits() int {
	n := 0
	for n < len(p.data) && '0' <= p.data[n] && p.data[n] <= '9' {
		n++
	}
	p.data = p.data[n:]
	return n
}

func (p *parser) text() (string, bool) {
	if len(p.data) == 0 || p.data[0] != '"' {
		return "", false
	}
	p.data = p.data[1:]
	var out []byte
	for len(p.data) > 0 {
		c := p.data[0]
		p.data = p.data[1:]
		switch {
		case c == '"':
			return string(out), true
		case c < ' ':
			return "", false
		case c != '\\':
			out = append(out, c)
			continue
		}
		if len(p.data) == 0 {
			return "", false
		}
		c = p.data[0]
		p.data = p.data[1:]
		if c == 'u' {
			r, ok := p.escaped()
			if !ok {
				return "", false
			}
			out = utf8.AppendRune(out, r)
			continue
		}
		const named, meant = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
		i := strings.IndexByte(named, c)
		if i < 0 {
			return "", false
		}
		out = append(out, meant[i])
	}
	return "", false
}

// escaped reads what follows \u, and the second half of a surrogate pair. Half
// a pair stands for no character.
func (p *parser) escaped() (rune, bool) {
	first, ok := p.hex()
	if !ok || !utf16.IsSurrogate(first) {
		return first, ok
	}
	if len(p.data) < 2 || p.data[0] != '\\' || p.data[1] != 'u' {
		return utf8.RuneError, true
	}
	before := p.data
	p.data = p.data[2:]
	second, ok := p.hex()
	if !ok {
		return 0, false
	}
	r := utf16.DecodeRune(first, second)
	if r == utf8.RuneError {
		p.data = before // a character of its own
	}
	return r, true
}

func (p *parser) hex() (rune, bool) {
	if len(p.data) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range p.data[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	p.data = p.data[4:]
	return r, true
}
