// Package doctor looks for what can be wrong with the links of a user, and
// names the command that mends it. It changes nothing, starts nothing, asks
// nobody, shows no secret, and comes to an end: each area is looked at by
// itself, and one that hangs or breaks does not take the others with it.
package doctor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/provider"
	"github.com/authring/authring/record"
)

// Patient is what is examined.
type Patient struct {
	App      string
	Config   string // the link whose token is tried
	Provider *provider.Provider
	Keyrings []keyring.Keyring

	// ProviderErr is why nothing is known of the provider but its name; nil: it
	// is known.
	ProviderErr error

	// Offline leaves the network alone.
	Offline bool

	// Bound is how long all of it may take; zero means 8 s.
	Bound time.Duration

	// Command spells a command of the tool for a link, Quote a word for a
	// shell.
	Command func(config, verb string, flags ...string) string
	Quote   func(word string) string

	Getenv func(string) string
}

const (
	// usualBound leaves time for the printing before ten seconds are over.
	usualBound = 8 * time.Second
	// lateness is how much of the bound an area has to tell itself what did
	// not answer, before it is said of the area as a whole.
	lateness = 8
)

// examination is one run.
type examination struct {
	Patient
	layout    record.Layout
	layoutErr error
	// probed has each keyring's own future: they are looked at once.
	probed []func() keyring.Status

	mu      sync.Mutex
	history map[string][]record.Event
	private []Replacement
}

// area is one part of an examination.
type area struct {
	name string
	look func(context.Context) []Finding
}

func (e *examination) areas() []area {
	return []area{
		{"sandbox", e.sandbox},
		{"bus", e.bus},
		{"keyrings", e.keyrings},
		{"signature", e.signature},
		{"files", e.files},
		{"links", e.links},
		{"copies", e.copies},
		{"notes", e.notes},
		{"locks", e.locks},
		{"network", e.network},
		{"token", e.token},
		{"history", e.histories},
	}
}

// Examine looks at everything side by side. It returns when all is seen, and
// soon after the bound or ctx has ended whatever hangs.
func Examine(ctx context.Context, p Patient) Report {
	began := time.Now()
	if p.Bound == 0 {
		p.Bound = usualBound
	}
	whole, cancel := context.WithTimeout(ctx, p.Bound)
	defer cancel()
	inTime, cancelInTime := context.WithTimeout(whole, p.Bound-p.Bound/lateness)
	defer cancelInTime()
	e := &examination{Patient: p, history: map[string][]record.Event{}}
	e.layout, e.layoutErr = record.NewLayout(p.App)
	e.probe(inTime)

	areas := e.areas()
	answers := make([]chan []Finding, len(areas))
	for i, a := range areas {
		answers[i] = make(chan []Finding, 1)
		go func() { answers[i] <- e.safely(inTime, a.look) }()
	}
	var report Report
	for i, a := range areas {
		var found []Finding
		select {
		case found = <-answers[i]:
		case <-whole.Done():
			select {
			case found = <-answers[i]: // both are true
			default:
				found = []Finding{{
					ID: "no-answer", Severity: Fail, Title: "This could not be examined: it did not answer",
					Detail: "a file system or a program that hangs does this", Cure: "authring doctor",
				}}
			}
		}
		for _, f := range found {
			f.Area = a.name
			report.Findings = append(report.Findings, f)
		}
	}
	report.settleCures()
	e.mu.Lock()
	defer e.mu.Unlock()
	report.History = e.history
	report.Private = e.private
	report.Took = time.Since(began)
	return report
}

// safely looks, and makes a finding of a fault of our own.
func (e *examination) safely(ctx context.Context, look func(context.Context) []Finding) (found []Finding) {
	defer func() {
		if fault := recover(); fault != nil {
			found = append(found, Finding{
				ID: "fault", Severity: Fail, Title: "This could not be examined: authring has a fault",
				Detail: fmt.Sprintf("%T", fault), // its text could hold anything
				Cure:   "authring doctor --bundle report.json",
			})
		}
	}()
	return look(ctx)
}
