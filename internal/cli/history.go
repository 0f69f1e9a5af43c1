package cli

import (
	"fmt"
	"time"

	"github.com/authring/authring/record"
)

// historyObject is one event of a link in JSON output.
type historyObject struct {
	At          string `json:"at"`
	Event       string `json:"event"`
	Fingerprint string `json:"fingerprint,omitempty"`
	Keyring     string `json:"keyring,omitempty"`
	Process     string `json:"process,omitempty"`
	Detail      string `json:"detail,omitempty"`
}

func historyObjects(events []record.Event) []historyObject {
	objects := make([]historyObject, 0, len(events))
	for _, e := range events {
		objects = append(objects, historyObject{
			At: e.At.UTC().Format(time.RFC3339), Event: e.What, Fingerprint: e.Fingerprint,
			Keyring: string(e.Keyring), Process: e.Process, Detail: e.Detail,
		})
	}
	return objects
}

// printHistory writes one line for each event, oldest first.
func (p *program) printHistory(events []record.Event) {
	if len(events) == 0 {
		p.say("Nothing is remembered of this link.")
		return
	}
	what, process := 0, 0
	for _, e := range events {
		what, process = max(what, len(e.What)), max(process, len(e.Process))
	}
	for _, e := range events {
		line := fmt.Sprintf("  %s  %s  %s  %s", e.At.Local().Format(time.DateTime), pad(printable(e.What), what),
			pad(orWord(e.Fingerprint, "-"), 12), pad(printable(e.Process), process))
		if e.Keyring != "" {
			line += "  " + printable(string(e.Keyring))
		}
		if e.Detail != "" {
			line += "  " + p.stdout.paint(dim, printable(e.Detail))
		}
		fmt.Fprintln(p.stdout, line)
	}
}
