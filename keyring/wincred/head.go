package wincred

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// mostParts bounds what a head can make a reader do.
const mostParts = 128

// headMark begins a head. A secret that begins so is split, however short.
const headMark = "authring-parts/"

var (
	errDamagedHead = errors.New("the credential that names the parts of the secret is damaged")
	errNewerHead   = errors.New("the secret was written by a newer version of authring, in a way that this one cannot read")
)

// head names the parts of a long secret. As text:
//
//	authring-parts/1 <generation> <number of parts> <SHA-256 of the secret>
//
// It is text so that it survives Python's keyring, which moves credentials by
// reading and writing their text.
type head struct {
	generation string // 16 hexadecimal digits
	parts      int
	sum        string // 64 hexadecimal digits
}

func newHead(value string) head {
	generation := make([]byte, 8)
	_, _ = rand.Read(generation) // it never fails
	return head{
		generation: hex.EncodeToString(generation),
		parts:      (len(value) + blobLimit - 1) / blobLimit,
		sum:        checksum(value),
	}
}

func checksum(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

func (h head) String() string {
	return fmt.Sprintf("%s1 %s %d %s", headMark, h.generation, h.parts, h.sum)
}

// parseHead returns whether text is a head at all.
func parseHead(text string) (h head, split bool, err error) {
	rest, split := strings.CutPrefix(text, headMark)
	if !split {
		return head{}, false, nil
	}
	fields := strings.Split(rest, " ")
	if fields[0] != "1" {
		if version, err := strconv.Atoi(fields[0]); err == nil && version > 1 {
			return head{}, true, errNewerHead
		}
		return head{}, true, errDamagedHead
	}
	if len(fields) != 4 {
		return head{}, true, errDamagedHead
	}
	h = head{generation: fields[1], sum: fields[3]}
	h.parts, err = strconv.Atoi(fields[2])
	if err != nil || h.parts < 1 || h.parts > mostParts || len(h.generation) != 16 || len(h.sum) != 64 || h.String() != text || !isHex(h.generation+h.sum) {
		return head{}, true, errDamagedHead
	}
	return h, true, nil
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
