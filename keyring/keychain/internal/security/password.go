//go:build darwin || linux

package security

import (
	"slices"
	"unsafe"
)

// noMemory is errSecAllocate: Core Foundation made no object.
const noMemory = -108

// Find returns the data of a generic password, or none together with a status.
// Nothing and no failure is an item whose data is empty.
func (l *Library) Find(service, account string) ([]byte, int32) {
	var found uintptr
	status := l.with(func(p *pool) int32 {
		query := p.key(service, account)
		query.add(l.returnData, l.yes)
		query.add(l.matchLimit, l.matchLimitOne)
		asked := p.dictionary(query)
		return p.call(func() int32 { return l.itemCopyMatching(asked, &found) })
	})
	if found == 0 {
		return nil, status
	}
	defer l.release(found)
	if status != 0 || l.typeID(found) != l.dataType() {
		return nil, status
	}
	size := l.dataLength(found)
	if size == 0 {
		return nil, 0
	}
	return slices.Clone(unsafe.Slice(l.dataBytes(found), size)), 0
}

// Add stores a new generic password in the default keychain, for the use of
// this program.
func (l *Library) Add(service, account string, value []byte) int32 {
	return l.with(func(p *pool) int32 {
		attributes := p.key(service, account)
		attributes.add(l.valueData, p.data(value))
		item := p.dictionary(attributes)
		return p.call(func() int32 { return l.itemAdd(item, nil) })
	})
}

// Update changes the data of a generic password, and nothing else of it.
func (l *Library) Update(service, account string, value []byte) int32 {
	return l.with(func(p *pool) int32 {
		var attributes entries
		attributes.add(l.valueData, p.data(value))
		query, change := p.dictionary(p.key(service, account)), p.dictionary(attributes)
		return p.call(func() int32 { return l.itemUpdate(query, change) })
	})
}

// Remove deletes a generic password.
func (l *Library) Remove(service, account string) int32 {
	return l.with(func(p *pool) int32 {
		query := p.dictionary(p.key(service, account))
		return p.call(func() int32 { return l.itemDelete(query) })
	})
}

// Message returns macOS' own words for a status, or nothing.
func (l *Library) Message(status int32) string {
	text := l.copyMessage(status, 0)
	if text == 0 {
		return ""
	}
	defer l.release(text)
	buffer := make([]byte, l.stringSize(l.stringLength(text), utf8Encoding)+1)
	if !l.stringInto(text, buffer, len(buffer), utf8Encoding) {
		return ""
	}
	return string(buffer[:max(0, slices.Index(buffer, 0))])
}
