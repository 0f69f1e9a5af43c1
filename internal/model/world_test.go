package model_test

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// token is a refresh token: its number in the order of issue; 0 is none.
type token uint8

// maxTokens bounds what a server of the model can issue.
const maxTokens = 15

// tokens is a set of them.
type tokens uint16

func (s tokens) has(t token) bool       { return t != 0 && s&(1<<t) != 0 }
func (s tokens) with(t token) tokens    { return s | 1<<t }
func (s tokens) without(t token) tokens { return s &^ (1 << t) }
func (s tokens) within(set tokens) bool { return s&^set == 0 }
func (s tokens) String() string {
	var list []string
	for ; s != 0; s &= s - 1 {
		list = append(list, fmt.Sprintf("T%d", bits.TrailingZeros16(uint16(s))))
	}
	return strings.Join(list, " ")
}

// maxProcesses is how many places a world has for them.
const maxProcesses = 3

// world is everything at one moment. It is comparable.
type world struct {
	processes [maxProcesses]process
	lock      uint8 // the process that has it, from 1 on

	keyring token
	linked  bool  // the record names an account
	mark    token // of which token the record says that it was revoked
	intent  token // the note of a link that is being saved
	note    note  // the note of an attempt

	server server
	budget faults

	// What nobody in the world can see.
	lost     tokens // made by the server, and gone before the keyring had them
	replayed tokens // presented once more after they were used
	byUser   bool   // the user revoked the grant
	misled   bool   // the server refused a good token wrongly, and that counted
}

// note is record.Attempt.
type note struct {
	of    token
	tries uint8
	young bool // within the window that the provider allows, by the client's clock
}

// faults are how many more may happen of each kind.
type faults struct {
	crash, network, keyring, disk, lie, user uint8
}

func (f faults) sum() int {
	return int(f.crash) + int(f.network) + int(f.keyring) + int(f.disk) + int(f.lie) + int(f.user)
}

// key is a world as bytes, for the search; worlds that differ only in which
// process is which have the same.
type key [64]byte

func (w *world) key() (k key) {
	var processes [maxProcesses][9]byte
	for i := range w.processes {
		processes[i] = w.processes[i].bytes(w.lock == uint8(i+1))
	}
	slices.SortFunc(processes[:], func(a, b [9]byte) int { return bytes.Compare(a[:], b[:]) })
	at := k[:0]
	for _, p := range processes {
		at = append(at, p[:]...)
	}
	s, f := &w.server, &w.budget
	at = append(at, byte(w.keyring), byte(w.mark), byte(w.intent), byte(w.note.of), w.note.tries, byte(s.issued),
		bits8(w.linked, w.note.young, s.ended, w.byUser, w.misled, w.lock > 0),
		f.crash, f.network, f.keyring, f.disk, f.lie, f.user)
	for _, set := range []tokens{s.good, s.used, s.open, w.lost, w.replayed} {
		at = append(at, byte(set), byte(set>>8))
	}
	for i := 0; i < len(s.heir); i += 2 {
		at = append(at, byte(s.heir[i]<<4|s.heir[i+1]))
	}
	if len(at) > len(k) {
		panic("the key of the model's worlds is too short")
	}
	return k
}

// bits8 are flags in one byte.
func bits8(flags ...bool) (n byte) {
	for _, flag := range flags {
		n <<= 1
		if flag {
			n |= 1
		}
	}
	return n
}

func (w world) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "keyring T%d, good T[%v] used T[%v]", w.keyring, w.server.good, w.server.used)
	if w.server.open != 0 {
		fmt.Fprintf(&b, " window of T[%v]", w.server.open)
	}
	if w.server.ended {
		b.WriteString(" grant ended")
	}
	if w.note.of != 0 {
		fmt.Fprintf(&b, ", note T%d ×%d", w.note.of, w.note.tries)
	}
	if w.mark != 0 {
		fmt.Fprintf(&b, ", marked T%d", w.mark)
	}
	if w.intent != 0 {
		fmt.Fprintf(&b, ", intent T%d", w.intent)
	}
	for i, p := range w.processes {
		if p.known != 0 {
			unsaved := ""
			if p.unsaved {
				unsaved = " unsaved"
			}
			fmt.Fprintf(&b, ", P%d has T%d%s", i+1, p.known, unsaved)
		}
	}
	return b.String()
}
