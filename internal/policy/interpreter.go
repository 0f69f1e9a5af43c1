package policy

import (
	"path/filepath"
	"strings"
)

// interpreters run what others wrote: a rule for one is a rule for every
// script.
const interpreters = " ash awk bash busybox bun csh dash deno elvish env fish gawk guile java ksh lua luajit mawk mksh nawk " +
	"node nodejs nu osascript perl php powershell pwsh pypy python R Rscript ruby sh tclsh toybox wish xonsh zsh cmd.exe "

// launchers run any program with the rights that they have.
const launchers = " docker flatpak git podman screen ssh sudo systemd systemd-run tmux xargs "

// Caution says why a rule for an executable allows more than it seems to; ""
// if nothing is known against it. It goes by the name.
func Caution(exe string) string {
	name := filepath.Base(exe)
	// python3.11, lua5.4, php8.2
	bare := strings.TrimRight(name, "0123456789.-")
	is := func(list string) bool {
		return strings.Contains(list, " "+name+" ") || bare != "" && strings.Contains(list, " "+bare+" ")
	}
	switch {
	case is(interpreters):
		return name + " is an interpreter: the rule is for every script that it runs, as the system tells the interpreter and not the script"
	case is(launchers):
		return name + " starts other programs: whoever can have it start one is behind the rule as well"
	case bare == "authring":
		return "who asks by way of authring is judged by who started it: name that program"
	}
	return ""
}
