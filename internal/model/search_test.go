package model_test

import (
	"fmt"
	"strings"
)

// usable reports whether anybody can go on: the keyring, an answer under way, or
// a process with a token that it could not save.
func (w *world) usable() bool {
	if w.server.accepts(w.keyring) {
		return true
	}
	for _, p := range w.processes {
		if w.server.accepts(p.heir) || p.unsaved && w.server.accepts(p.known) {
			return true
		}
	}
	return false
}

// kept reports whether a process has a token in the place of this one that it
// could not save, and says so.
func (w *world) kept(t token) bool {
	for _, p := range w.processes {
		if p.keeping && p.replaces == t {
			return true
		}
	}
	return false
}

// gap reports whether what the server made last was lost before it was saved.
func (w *world) gap() bool {
	return w.server.good != 0 && w.server.good.within(w.lost)
}

// wrong is what must not be in any world, "" for nothing.
func (r rules) wrong(w world) string {
	usable := w.usable()
	switch {
	case w.linked && w.mark != 0 && w.mark == w.keyring && usable && !w.misled:
		return "the link is shown as revoked, and can be used"
	case usable || w.byUser || !w.linked:
		return ""
	case r.replay == reusable || !r.rotates:
		return "no token that can be used is left, with a provider that takes none back"
	case r.replay == grace && r.timeless:
		return "no token that can be used is left, and the window is open"
	case !w.server.ended && !w.gap():
		return "no token that can be used is left, and none was lost between the server and the keyring"
	}
	return ""
}

// found is what a search saw.
type found struct {
	worlds, steps int
	lost          int    // worlds in which the exception holds: nobody can go on
	trace         string // a counterexample, "" for none
}

// visited is a world and how it was come by.
type visited struct {
	world world
	from  int
	who   int
	name  string
}

// search visits every world that can be reached, nearest first, until one is
// wrong.
func (r rules) search(starts ...world) found {
	var list []visited
	seen := map[key]struct{}{}
	var result found
	add := func(v visited) bool {
		k := v.world.key()
		if _, old := seen[k]; old {
			return false
		}
		seen[k] = struct{}{}
		list = append(list, v)
		return true
	}
	for _, w := range starts {
		add(visited{world: w, from: -1, name: "at first"})
	}
	for at := 0; at < len(list); at++ {
		w := list[at].world
		if w.linked && !w.byUser && !w.usable() {
			result.lost++
		}
		if wrong := r.wrong(w); wrong != "" {
			result.worlds, result.trace = len(list), trace(list, at, wrong)
			return result
		}
		for _, m := range r.moves(w) {
			result.steps++
			isNew := add(visited{world: m.to, from: at, who: m.who, name: m.name})
			if m.wrong != "" {
				if !isNew {
					list = append(list, visited{world: m.to, from: at, who: m.who, name: m.name})
				}
				result.worlds, result.trace = len(list), trace(list, len(list)-1, m.wrong)
				return result
			}
		}
	}
	result.worlds = len(list)
	return result
}

// trace writes down how a world was reached.
func trace(list []visited, at int, wrong string) string {
	var lines []string
	for ; at >= 0; at = list[at].from {
		v := list[at]
		if v.who > 0 {
			v.name = fmt.Sprintf("P%d %s", v.who, v.name)
		}
		lines = append(lines, fmt.Sprintf("%-48s %v", v.name, v.world))
	}
	var b strings.Builder
	for i := len(lines) - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "%3d. %s\n", len(lines)-i, lines[i])
	}
	fmt.Fprintf(&b, "WRONG: %s", wrong)
	return b.String()
}

// linked is a world with a link and nothing else.
func (r rules) linked() world {
	w := world{keyring: 1, linked: true, budget: r.faults, server: server{issued: 1, good: tokens(0).with(1)}}
	for i := range r.processes {
		w.processes[i].left = uint8(r.refreshes)
	}
	return w
}

// cutShort are the worlds in which a process died as it linked: anew, or for the
// first time, before or after the keyring had the secret.
func (r rules) cutShort() []world {
	var list []world
	for _, relink := range []bool{true, false} {
		before := r.linked()
		before.server.issued, before.intent = 2, 2
		after := before
		after.keyring, after.server.good = 2, tokens(0).with(2)
		if before.linked, after.linked = relink, relink; relink {
			after.mark = 1
		} else {
			before.keyring, before.server.good, before.lost = 0, tokens(0).with(2), tokens(0).with(2)
		}
		list = append(list, before, after)
	}
	return list
}
