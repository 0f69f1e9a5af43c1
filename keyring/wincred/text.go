package wincred

import (
	"encoding/binary"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

var errNotText = errors.New("the credential holds no text")

// encode returns the UTF-16 of s, little endian, as Windows' own tools and
// Python's keyring store passwords.
func encode(s string) []byte {
	var blob []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		blob = binary.LittleEndian.AppendUint16(blob, unit)
	}
	return blob
}

// decode reads what Python's keyring reads: UTF-16, with or without a byte
// order mark, or else UTF-8.
func decode(blob []byte) (string, error) {
	if s, ok := decodeUTF16(blob); ok {
		return s, nil
	}
	if !utf8.Valid(blob) {
		return "", errNotText
	}
	return string(blob), nil
}

func decodeUTF16(blob []byte) (string, bool) {
	if len(blob)%2 != 0 {
		return "", false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if len(blob) >= 2 {
		switch mark := binary.LittleEndian.Uint16(blob); mark {
		case 0xFEFF:
			blob = blob[2:]
		case 0xFFFE:
			order, blob = binary.BigEndian, blob[2:]
		}
	}
	var runes []rune
	for len(blob) > 0 {
		r := rune(order.Uint16(blob))
		blob = blob[2:]
		if utf16.IsSurrogate(r) {
			if len(blob) == 0 {
				return "", false
			}
			if r = utf16.DecodeRune(r, rune(order.Uint16(blob))); r == utf8.RuneError {
				return "", false
			}
			blob = blob[2:]
		}
		runes = append(runes, r)
	}
	return string(runes), true
}
