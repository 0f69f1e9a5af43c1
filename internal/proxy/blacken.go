package proxy

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/authring/authring/secret"
)

// shortestToken is how long a token must be to be looked for. No provider's is
// shorter, and something shorter would be found where it is not meant.
const shortestToken = 8

// blacken puts asterisks in the place of the token, wherever an answer repeats
// it as it was sent: in its headers, its body, its trailers. Servers quote
// headers that they cannot read, and some have routes that repeat a request.
func blacken(resp *http.Response, token secret.Secret) {
	text := token.Reveal()
	if len(text) < shortestToken {
		return
	}
	blackenHeader(resp.Header, text)
	resp.Body = &blackener{
		source: resp.Body, token: []byte(text), buffer: make([]byte, 0, blackenBuffer+len(text)),
		atEnd: func() { blackenHeader(resp.Trailer, text) },
	}
}

func blackenHeader(h http.Header, token string) {
	for name, values := range h {
		if strings.Contains(strings.ToLower(name), strings.ToLower(token)) {
			delete(h, name)
			continue
		}
		for i, value := range values {
			values[i] = strings.ReplaceAll(value, token, strings.Repeat("*", len(token)))
		}
	}
}

const blackenBuffer = 32 << 10

// blackener is a body in which the token is replaced by as many asterisks, so
// that no length changes. It holds back what may be the beginning of a token
// until the next bytes have come.
type blackener struct {
	source io.ReadCloser
	token  []byte
	buffer []byte // what was read and not passed on
	ready  int    // how much of it can be passed on
	err    error  // of source
	atEnd  func()
}

// Read implements io.Reader.
func (b *blackener) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for b.ready == 0 {
		if b.err != nil {
			return 0, b.err
		}
		b.fill()
	}
	n := copy(p, b.buffer[:b.ready])
	rest := copy(b.buffer, b.buffer[n:])
	b.buffer = b.buffer[:rest]
	b.ready -= n
	return n, nil
}

// fill reads once, and decides what can be passed on. Nothing is ready when it
// is called, so that at most the beginning of a token is in the buffer.
func (b *blackener) fill() {
	held := len(b.buffer)
	n, err := b.source.Read(b.buffer[held:cap(b.buffer)])
	b.buffer = b.buffer[:held+n]
	b.err = err
	for at := 0; ; {
		i := bytes.Index(b.buffer[at:], b.token)
		if i < 0 {
			break
		}
		at += i
		for range b.token {
			b.buffer[at] = '*'
			at++
		}
	}
	b.ready = len(b.buffer)
	if err == nil {
		b.ready -= b.begun()
		return
	}
	b.atEnd()
}

// begun is how long the longest end of the buffer is with which a token begins.
func (b *blackener) begun() int {
	for n := min(len(b.token)-1, len(b.buffer)); n > 0; n-- {
		end := b.buffer[len(b.buffer)-n:]
		if end[0] == b.token[0] && bytes.HasPrefix(b.token, end) {
			return n
		}
	}
	return 0
}

// Close implements io.Closer.
func (b *blackener) Close() error { return b.source.Close() }
