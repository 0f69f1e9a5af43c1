package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// results are all that one run of the benchmark found out.
type results struct {
	date       time.Time
	machine    machine
	rounds     int
	contenders []contender
	keyrings   []keyringResult // from few other items to many
	token      []goResult
	agent      *agentResults
	others     string // what else the machine did
	binary     int64  // bytes of our tool
	stripped   int64  // the same without symbol table and debug information
}

// keyringResult is the comparison beside a number of other items.
type keyringResult struct {
	others    int
	firstRead time.Duration
	samples   map[string][]sample
}

// few and many are the keyrings with the fewest and the most other items.
func (r *results) few() keyringResult  { return r.keyrings[0] }
func (r *results) many() keyringResult { return r.keyrings[len(r.keyrings)-1] }

// of returns one figure of all runs of a contender.
func (k keyringResult) of(id string, figure func(sample) time.Duration) []time.Duration {
	return column(k.samples[id], figure)
}

// median returns the middle of one figure of a contender.
func (k keyringResult) median(id string, figure func(sample) time.Duration) time.Duration {
	return median(k.of(id, figure))
}

// markdown returns what is generated of the page on performance.
func (r *results) markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, "Measured on %s, on a machine with %s. %d rounds.\n\n", r.date.Format("2006-01-02"), r.machine, r.rounds)

	fmt.Fprintf(&out, "### With %s other items in the keyring\n\n", thousands(r.few().others))
	out.WriteString("| program | on the bus | median ms | min | max | × ours | own CPU ms | daemon's CPU ms | peak MB |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n")
	ours := r.few().of(idOurs, wall)
	for _, c := range r.contenders {
		times := r.few().of(c.id, wall)
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s | %s | %s | %.1f |\n", name(c), c.kind, ms(median(times)),
			ms(slices.Min(times)), ms(slices.Max(times)), figure(ratio(times, ours)),
			ms(r.few().median(c.id, processor)), r.daemonTime(c), float64(median(column(r.few().samples[c.id], peak)))/1e6)
	}
	fmt.Fprintf(&out, "\n%s\n", r.breakdown())

	out.WriteString("\n### With more items\n\n| program |")
	for _, k := range r.keyrings {
		fmt.Fprintf(&out, " %s items, ms |", thousands(k.others))
	}
	out.WriteString(" growth, ms | daemon's CPU, growth, ms |\n|---|" + strings.Repeat("--:|", len(r.keyrings)+2) + "\n")
	for _, c := range r.contenders {
		if c.kind == floor {
			continue
		}
		fmt.Fprintf(&out, "| %s |", name(c))
		for _, k := range r.keyrings {
			fmt.Fprintf(&out, " %s |", ms(k.median(c.id, wall)))
		}
		fmt.Fprintf(&out, " %s | %s |\n", ms(r.growth(c.id, wall)), ms(r.growth(c.id, daemon)))
	}
	fmt.Fprintf(&out, "\nNot in these figures: with %s items gnome-keyring itself takes %.1f s to read its file, once, when the keyring is unlocked.\n",
		thousands(r.many().others), r.many().firstRead.Seconds())

	if len(r.token) > 0 {
		out.WriteString("\n### Session.Token\n\n| benchmark | processors | ns/op | allocations |\n|---|--:|--:|--:|\n")
		for _, t := range r.token {
			fmt.Fprintf(&out, "| %s | %d | %s | %d |\n", t.name, t.processors, figure(t.nanosecond), t.allocs)
		}
	}

	out.WriteString("\n### Targets\n\n| what | target | measured | |\n|---|---|---|---|\n")
	for _, t := range r.targets() {
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", t.what, t.target, t.measured, t.verdict)
	}
	return out.String()
}

// breakdown tells what our own read consists of.
func (r *results) breakdown() string {
	k := r.few()
	return fmt.Sprintf("Of the %s ms that authring takes, %s ms go by until a process with its code has started and ended (`authring version`; %s ms more than the Go hello-world), and gnome-keyring computes for %s ms (for the plain lookup %s ms). The read is %s ms longer than the plain lookup.",
		ms(k.median(idOurs, wall)), ms(k.median(idStart, wall)), ms(excess(k.of(idStart, wall), k.of(idGo, wall))),
		ms(k.median(idOurs, daemon)), ms(k.median(idPlain, daemon)), ms(excess(k.of(idOurs, wall), k.of(idPlain, wall))))
}

// growth returns how much more of something a contender takes beside the most
// items than beside the fewest.
func (r *results) growth(id string, figure func(sample) time.Duration) time.Duration {
	return r.many().median(id, figure) - r.few().median(id, figure)
}

func (r *results) daemonTime(c contender) string {
	if c.kind == floor {
		return ""
	}
	return ms(r.few().median(c.id, daemon))
}

// chart returns the same as a picture.
func (r *results) chart() chart {
	c := chart{
		title: "Reading one stored secret: whole processes",
		subtitle: fmt.Sprintf("Milliseconds, median of %d runs each, taken in turns on %d cores; shorter is better",
			r.rounds, r.machine.cores),
		unit:         "ms",
		heading:      "other items",
		valueHeading: thousands(r.few().others),
		laterHeading: thousands(r.many().others),
	}
	var alt []string
	for _, p := range r.contenders {
		b := bar{group: p.kind.heading(), label: p.name, ours: p.id == idOurs, value: toMS(r.few().median(p.id, wall))}
		text := p.name + " " + figure(b.value)
		if p.kind != floor {
			b.later = toMS(r.many().median(p.id, wall))
			text += " (with " + c.laterHeading + " other items " + figure(b.later) + ")"
		}
		c.bars = append(c.bars, b)
		alt = append(alt, text)
	}
	c.alt = c.subtitle + ". " + strings.Join(alt, ", ") + "."
	return c
}

func (k kind) heading() string {
	switch k {
	case floor:
		return "starts and ends"
	case clear:
		return "reads; the secret crosses the bus in the clear"
	default:
		return "reads; encrypted on the bus"
	}
}

func (k kind) String() string {
	switch k {
	case floor:
		return ""
	case clear:
		return "in the clear"
	default:
		return "encrypted"
	}
}

func name(c contender) string {
	if c.id == idOurs {
		return "**" + c.name + "**"
	}
	return c.name
}

func toMS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func ms(d time.Duration) string { return figure(toMS(d)) }

// thousands writes a number with a comma after its thousands.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
