// Package harden takes from a process what it does not need once it holds a
// secret: to be read by a debugger, to leave its memory in a file, to gain
// rights.
//
// Root, and who controls the kernel, are above all of this.
package harden

import "strings"

// Done says what was achieved; the zero value is nothing.
type Done struct {
	// NotDumpable: no process of the same user can attach to this one, or
	// read its memory, and no core dump of it is written.
	NotDumpable bool
	// NoCore: neither is one of programs that are started from here.
	NoCore bool
	// NoNewPrivileges: no program that is started from here gains rights by a
	// set-user-ID bit.
	NoNewPrivileges bool
	// Locked: nothing of the memory is written to swap.
	Locked bool
}

// String lists what was achieved.
func (d Done) String() string {
	var done []string
	for _, one := range []struct {
		is   bool
		text string
	}{
		{d.NotDumpable, "not dumpable"}, {d.NoCore, "no core dumps"},
		{d.NoNewPrivileges, "no new privileges"}, {d.Locked, "locked memory"},
	} {
		if one.is {
			done = append(done, one.text)
		}
	}
	if len(done) == 0 {
		return "nothing"
	}
	return strings.Join(done, ", ")
}
