//go:build darwin || linux

package security

import "unsafe"

// utf8Encoding is kCFStringEncodingUTF8.
const utf8Encoding = 0x08000100

// pool holds the objects that one call needs, and lets go of them after it.
type pool struct {
	l       *Library
	objects []uintptr
	secrets []uintptr // of the objects, those to be wiped
	failed  bool
}

// with runs f, and releases what it made.
func (l *Library) with(f func(*pool) int32) int32 {
	p := &pool{l: l}
	defer p.drain()
	return f(p)
}

func (p *pool) drain() {
	for _, data := range p.secrets {
		if size := p.l.dataLength(data); size > 0 {
			clear(unsafe.Slice(p.l.mutableBytes(data), size))
		}
	}
	for i := len(p.objects) - 1; i >= 0; i-- {
		p.l.release(p.objects[i])
	}
}

// call runs f if every object for it could be made.
func (p *pool) call(f func() int32) int32 {
	if p.failed {
		return noMemory
	}
	return f()
}

func (p *pool) keep(object uintptr) uintptr {
	if object == 0 {
		p.failed = true
		return 0
	}
	p.objects = append(p.objects, object)
	return object
}

func (p *pool) text(s string) uintptr {
	return p.keep(p.l.stringWithBytes(0, []byte(s), len(s), utf8Encoding, false))
}

// data makes a copy of a secret that can be wiped.
func (p *pool) data(value []byte) uintptr {
	data := p.keep(p.l.mutableData(0, len(value)))
	if data != 0 && len(value) > 0 {
		p.l.appendBytes(data, value, len(value))
		p.secrets = append(p.secrets, data)
	}
	return data
}

// entries are those of a dictionary.
type entries struct{ keys, values []uintptr }

func (e *entries) add(key, value uintptr) {
	e.keys = append(e.keys, key)
	e.values = append(e.values, value)
}

// key is what a generic password is found by.
func (p *pool) key(service, account string) (e entries) {
	e.add(p.l.class, p.l.genericPassword)
	e.add(p.l.service, p.text(service))
	e.add(p.l.account, p.text(account))
	return e
}

func (p *pool) dictionary(e entries) uintptr {
	if p.failed {
		return 0 // a dictionary cannot hold what could not be made
	}
	return p.keep(p.l.dictionary(0, e.keys, e.values, len(e.keys), p.l.keyCalls, p.l.valueCall))
}

// load reads the variable at a symbol, which is C's and does not move.
func load(symbol uintptr) uintptr { return **(**uintptr)(unsafe.Pointer(&symbol)) }
