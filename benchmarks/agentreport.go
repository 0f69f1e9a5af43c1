package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// markdown returns the part of the page that is about the agent.
func (a *agentResults) markdown(r *results) string {
	var out strings.Builder
	fmt.Fprintf(&out, "Measured on %s, on a machine with %s. %d rounds; %s\n\n", r.date.Format("2006-01-02"), r.machine, r.rounds, r.others)
	out.WriteString("### A token for a fresh process\n\n| program | has it from | median ms | min | max | × Go hello-world | own CPU ms | peak MB |\n|---|---|--:|--:|--:|--:|--:|--:|\n")
	floor := a.times(idGo)
	for _, c := range a.contenders {
		times := a.times(c.id)
		name := c.name
		if c.id == idSmall {
			name = "**" + name + "**"
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s | %s | %.1f |\n", name, c.kind.source(), ms(median(times)), ms(slices.Min(times)), ms(slices.Max(times)),
			figure(ratio(times, floor)), ms(median(column(a.samples[c.id], processor))), float64(median(column(a.samples[c.id], peak)))/1e6)
	}
	fmt.Fprintf(&out, "\n### %s requests on the socket\n\n| %d clients | answers/s | p50 ms | p99 ms | agent's CPU µs | clients' CPU µs |\n|---|--:|--:|--:|--:|--:|\n", thousands(loadRequests), loadClients)
	for _, l := range a.loads {
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s |\n", l.name, thousands(int(l.rate)), ms(l.p50), ms(l.p99),
			figure(float64(l.agent)/1e3), figure(float64(l.asker)/1e3))
	}
	out.WriteString("\n### Targets\n\n| what | target | measured | |\n|---|---|---|---|\n")
	for _, t := range a.targets() {
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", t.what, t.target, t.measured, t.verdict)
	}
	return out.String()
}

func (a *agentResults) times(id string) []time.Duration { return column(a.samples[id], wall) }

// The promises about the agent.
const (
	maxOfHello  = 1.5
	maxP99      = 1.0 // ms
	maxResident = 30_000_000
)

func (a *agentResults) targets() []target {
	small := a.times(idSmall)
	list := []target{
		atMost("`authring-token`, against a Go hello-world", ratio(small, a.times(idGo)), maxOfHello, "%.2f of it"),
		{"against `oidc-token`, a program in C", "none", fmt.Sprintf("%.2f of it", ratio(small, a.times(idOIDC))), ""},
		{"against `secret-tool lookup`", "none", fmt.Sprintf("%.2f of it", ratio(small, a.times(idLibsecret))), ""},
		{"against `gh auth token`", "none", fmt.Sprintf("1/%.0f of it", ratio(a.times(idGH), small)), ""},
		{"`authring token`, against a Go hello-world", "none", fmt.Sprintf("%.2f of it", ratio(a.times(idTool), a.times(idGo))), ""},
	}
	for _, l := range a.loads {
		list = append(list, atMost("99 of 100 answers: "+l.name, toMS(l.p99), maxP99, "%.2f ms"))
	}
	memory := atMost(fmt.Sprintf("memory of the agent in use, with %s links", thousands(manyLinks)), float64(a.full)/1e6, maxResident/1e6, "%.1f MB")
	memory.measured += fmt.Sprintf(", and %.1f MB while they are opened; with none %.1f MB", float64(a.opened)/1e6, float64(a.idle)/1e6)
	return append(list, memory)
}
