package main

import (
	"fmt"
	"time"
)

// target is one promise on speed, and what became of it.
type target struct {
	what, target, measured, verdict string
}

// The promises.
const (
	maxOfLibsecret = 0.65
	maxOfKeybase   = 0.9
	maxOverPlain   = 4500 * time.Microsecond
	maxToken       = 25.0 // ns
	maxBinary      = 15_000_000
	// noise is by how much two medians of the same thing may differ.
	noise = 1.05
)

// targets holds the results against what was promised.
func (r *results) targets() []target {
	k := r.few()
	ours := k.of(idOurs, wall)
	list := []target{
		atMost("stored secret read by a fresh process of authring, against `secret-tool lookup`",
			ratio(ours, k.of(idLibsecret, wall)), maxOfLibsecret, "%.2f of it"),
		atMost("against keybase/go-keychain, which encrypts as well",
			ratio(ours, k.of(idKeybase, wall)), maxOfKeybase, "%.2f of it"),
		atMost("\"authring, keyring only\" against `secret-tool lookup`",
			ratio(k.of(idBare, wall), k.of(idLibsecret, wall)), maxOfLibsecret, "%.2f of it"),
		atMost("\"authring, keyring only\" against keybase/go-keychain",
			ratio(k.of(idBare, wall), k.of(idKeybase, wall)), maxOfKeybase, "%.2f of it"),
		atMost("by authring, beyond the plain lookup, which is not encrypted",
			toMS(excess(ours, k.of(idPlain, wall))), toMS(maxOverPlain), "%.2f ms"),
		{"by authring, against Python's keyring", "none", fmt.Sprintf("1/%.0f of it", ratio(k.of(idPython, wall), ours)), ""},
		r.growthTarget(),
	}
	list = append(list, r.tokenTargets()...)
	size := atMost("size of the program", float64(r.binary)/1e6, maxBinary/1e6, "%.1f MB")
	size.measured += fmt.Sprintf(", or %.1f MB without symbols (`-ldflags \"-s -w\"`)", float64(r.stripped)/1e6)
	return append(list, size)
}

// growthTarget compares how we grow to the plain lookup, which does nothing
// but wait for the daemon.
func (r *results) growthTarget() target {
	ours, plain := r.growth(idOurs, wall), r.growth(idPlain, wall)
	t := atMost("growth from "+thousands(r.few().others)+" to "+thousands(r.many().others)+" other items",
		float64(ours)/float64(plain), noise, "%.2f of the plain lookup's")
	t.target = "no more than the daemon's own"
	t.measured = fmt.Sprintf("%s ms; the plain lookup, which only waits for the daemon, %s ms", ms(ours), ms(plain))
	return t
}

// tokenTargets holds the Go benchmarks against what was promised. Token is the
// one with a single caller, TokenParallel has callers on all processors.
func (r *results) tokenTargets() []target {
	single, many := map[int]goResult{}, map[int]goResult{}
	last := 1
	for _, t := range r.token {
		switch t.name {
		case "Token":
			single[t.processors] = t
		case "TokenParallel":
			many[t.processors] = t
			last = max(last, t.processors)
		}
	}
	var list []target
	if t, ok := single[1]; ok {
		list = append(list, atMost("`s.Token`, token cached", t.nanosecond, maxToken, "%.1f ns"))
		list = append(list, atMost("allocations of it", float64(t.allocs), 0, "%.0f"))
	}
	if one, ok := many[1]; ok && last > 1 {
		t := atMost("`s.Token` with callers on all processors", many[last].nanosecond, one.nanosecond*noise, "%.1f ns")
		t.target = "not slower than on one"
		t.measured = fmt.Sprintf("%.1f ns a call on %d, %.1f ns on one", many[last].nanosecond, last, one.nanosecond)
		list = append(list, t)
	}
	return list
}

// atMost is a target with an upper limit.
func atMost(what string, got, limit float64, format string) target {
	t := target{what: what, target: "at most " + fmt.Sprintf(format, limit), measured: fmt.Sprintf(format, got), verdict: "met"}
	if got > limit {
		t.verdict = "missed"
		if limit > 0 {
			t.verdict += fmt.Sprintf(" by %.0f %%", (got/limit-1)*100)
		}
	}
	return t
}
