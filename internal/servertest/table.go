package servertest

import (
	"fmt"
	"slices"
	"strings"
)

// Table is the table of all findings. Each server must have one for each
// feature and each flow, and one only.
func Table(findings []Finding) (string, error) {
	type place struct {
		server  string
		flow    Flow
		feature Feature
	}
	found := map[place]Finding{}
	versions := map[string]string{}
	var servers []string
	for _, f := range findings {
		at := place{f.Server, f.Flow, f.Feature}
		if other, twice := found[at]; twice && other != f {
			return "", fmt.Errorf("two things were found: %+v and %+v", other, f)
		}
		found[at] = f
		if !slices.Contains(servers, f.Server) {
			servers = append(servers, f.Server)
		}
		versions[f.Server] = f.Version
	}
	slices.Sort(servers)
	var b strings.Builder
	for _, server := range servers {
		fmt.Fprintf(&b, "\n**%s** (%s)\n\n| |", server, versions[server])
		for _, flow := range Flows {
			fmt.Fprintf(&b, " %s |", flow)
		}
		b.WriteString(" |\n|---|" + strings.Repeat("---|", len(Flows)+1) + "\n")
		for _, feature := range Features {
			fmt.Fprintf(&b, "| %s |", feature)
			row := make([]Finding, 0, len(Flows))
			for _, flow := range Flows {
				f, ok := found[place{server, flow, feature}]
				if !ok {
					return "", fmt.Errorf("nothing was found of %s, %s, %s", server, flow, feature)
				}
				fmt.Fprintf(&b, " %s |", f.Outcome)
				row = append(row, f)
			}
			fmt.Fprintf(&b, " %s |\n", strings.ReplaceAll(remarks(row), "|", `\|`))
		}
	}
	b.WriteString("\n")
	return b.String(), nil
}

// remarks puts together what there is to say of the findings of a row: once, if
// it is the same wherever there is something.
func remarks(row []Finding) string {
	var texts []string
	flows := map[string][]string{}
	for _, f := range row {
		if f.Why == "" {
			continue
		}
		if flows[f.Why] == nil {
			texts = append(texts, f.Why)
		}
		flows[f.Why] = append(flows[f.Why], string(f.Flow))
	}
	if len(texts) == 1 && !slices.ContainsFunc(row, func(f Finding) bool { return f.Why == "" && f.Outcome != NotInFlow }) {
		return texts[0]
	}
	for i, text := range texts {
		texts[i] = strings.Join(flows[text], ", ") + ": " + text
	}
	return strings.Join(texts, "; ")
}
