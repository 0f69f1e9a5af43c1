package doctor

import (
	"time"

	"github.com/authring/authring/keyring"
	"github.com/authring/authring/record"
)

// Severity says how much a finding matters.
type Severity int

// The severities, in their order.
const (
	OK   Severity = iota // as it should be
	Note                 // worth knowing
	Warn                 // works now, or can be made to by its user; look at it
	Fail                 // does not work
)

// String returns the severity as JSON output has it.
func (s Severity) String() string {
	switch s {
	case Note:
		return "note"
	case Warn:
		return "warn"
	case Fail:
		return "fail"
	default:
		return "ok"
	}
}

// MarshalText writes the severity as [Severity.String] does.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Cause is the class of what a finding found, by which the command line
// chooses its exit status.
type Cause int

// The causes.
const (
	Other Cause = iota // files, folders, the examination itself
	Refused
	Unreachable
	Unavailable
	Revoked
)

// Finding is one thing that was seen. It never holds a secret.
type Finding struct {
	ID       string   `json:"id"` // stable, of the kind of finding
	Area     string   `json:"area"`
	Severity Severity `json:"severity"`
	// Config is the link that it is about; empty for the machine.
	Config string `json:"config,omitempty"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
	// Cure is a command that mends it, or shows more.
	Cure string `json:"cure,omitempty"`

	Cause Cause `json:"-"`

	// keyring is the one that cannot be used, mends the one that can be again
	// after the cure.
	keyring, mends keyring.ID
}

// Report is what an examination found.
type Report struct {
	Findings []Finding
	// History holds the last events of each link.
	History map[string][]record.Event
	// Private are words that say who the user is, for a copy of the report
	// that leaves the machine: each with what stands for it.
	Private []Replacement
	Took    time.Duration
}

// settleCures has all that a keyring which hangs is felt by name what stirs it.
func (r *Report) settleCures() {
	cures := map[keyring.ID]string{}
	for _, f := range r.Findings {
		if f.mends != "" {
			cures[f.mends] = f.Cure
		}
	}
	for i := range r.Findings {
		if cure := cures[r.Findings[i].keyring]; cure != "" {
			r.Findings[i].Cure = cure
		}
	}
}

// Replacement is a word and what stands for it.
type Replacement struct{ Word, By string }

// Worst returns the finding that fails first in the order of findings, of
// those about a link and about the machine; ok is false if none does.
func (r Report) Worst(config string) (worst Finding, ok bool) {
	for _, f := range r.Findings {
		if f.Severity != Fail || f.Config != "" && f.Config != config {
			continue
		}
		// What the link itself fails for says more than what may be why.
		if !ok || worst.Config == "" && f.Config != "" || worst.Config == f.Config && f.Cause > worst.Cause {
			worst, ok = f, true
		}
	}
	return worst, ok
}
