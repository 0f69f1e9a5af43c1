package policy

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Request is what a policy is asked: who wants what.
type Request struct {
	Scope []string // empty: all that the grant has
	Who   Process
}

// World is what there is to compare a process with.
type World struct {
	Now time.Time
	// File describes the file that is at a path now.
	File func(path string) (os.FileInfo, error)
	// Hash gives the SHA-256 of what a process runs, in hexadecimal digits.
	Hash func(Process) (string, error)
}

// Decision is what a policy says. It is not the last word while the effect is
// [Ask].
type Decision struct {
	Effect Effect
	// Rule is the ID of the rule that decided; 0 if none did.
	Rule int
	// Scope is what a token may do; empty: all that the grant has.
	Scope []string
	// Remember is how long the user's answer holds.
	Remember time.Duration
	// Reason says why it was denied; the same for all that run the same, so that
	// a log can count them.
	Reason string
	// Unreadable: there is a policy, and it cannot be used.
	Unreadable bool
	// Answered: the user was asked, and said so.
	Answered bool
}

// Evaluate finds the first rule that fits. The policy of a link without rules
// is nil, and allows what is asked for.
func (p *Policy) Evaluate(ask Request, w World) Decision {
	if p == nil || len(p.Rules) == 0 {
		return Decision{Effect: Allow, Scope: ask.Scope}
	}
	near := ""
	for _, r := range p.Rules {
		if r.Until != nil && !w.Now.Before(*r.Until) {
			if r.Effect != Deny && r.fits(ask.Who, w) == "" {
				near = fmt.Sprintf("rule %d ended at %s", r.ID, r.Until.Format(time.RFC3339))
			}
			continue
		}
		if miss := r.fits(ask.Who, w); miss != "" {
			if miss != elsewhere {
				near = fmt.Sprintf("rule %d does not fit: %s", r.ID, miss)
			}
			continue
		}
		scope, fits := r.scopeFor(ask.Scope)
		if !fits {
			if r.Effect != Deny {
				near = fmt.Sprintf("rule %d allows the scope %s only", r.ID, strings.Join(r.Scope, " "))
			}
			continue
		}
		d := Decision{Effect: r.Effect, Rule: r.ID, Scope: scope, Remember: time.Duration(r.Remember)}
		if r.Effect == Deny {
			d.Scope, d.Reason = nil, fmt.Sprintf("rule %d denies it", r.ID)
		}
		return d
	}
	if near == "" {
		near = "no rule fits " + ask.Who.program()
	}
	return Decision{Effect: Deny, Reason: near}
}

// scopeFor returns what a rule gives to who asks for a scope, and whether the
// rule is for that at all.
func (r Rule) scopeFor(asked []string) (scope []string, fits bool) {
	switch {
	case len(r.Scope) == 0:
		return asked, true
	case len(asked) == 0:
		// All is more than the rule has. One that allows gives what it has,
		// and one that denies denies the whole.
		return r.Scope, true
	case r.Effect == Deny:
		return nil, slices.ContainsFunc(asked, func(token string) bool { return slices.Contains(r.Scope, token) })
	}
	for _, token := range asked {
		if !slices.Contains(r.Scope, token) {
			return nil, false
		}
	}
	return asked, true
}

// elsewhere is the miss of a rule that is for somebody else.
const elsewhere = "it is for another program"

// fits returns "" for a process that a rule is for, and otherwise why it is
// not.
func (r Rule) fits(who Process, w World) (miss string) {
	switch {
	case r.Cgroup != "" && who.Cgroup != r.Cgroup && !strings.HasPrefix(who.Cgroup, r.Cgroup+"/"),
		r.Unit != "" && r.Unit != who.Unit(),
		r.SystemUnit != "" && r.SystemUnit != who.SystemUnit():
		return elsewhere
	}
	if r.Exe == "" {
		return ""
	}
	named := strings.TrimSuffix(who.Path, deleted) == r.Exe
	switch {
	case who.Exe == nil:
		return elsewhere // nobody knows what it runs
	case who.Foreign && named:
		return "the process lives in other mounts (a container, a sandbox), where " + r.Exe + " can be anything"
	case who.Foreign:
		return elsewhere
	}
	now, err := w.File(r.Exe)
	if err != nil || !os.SameFile(now, who.Exe) {
		if named {
			return "the process runs a " + r.Exe + " that was replaced since; start it again"
		}
		return elsewhere
	}
	if r.SHA256 == "" {
		return ""
	}
	if sum, err := w.Hash(who); err != nil || sum != r.SHA256 {
		return r.Exe + " is not what it was when the rule was made (its sha256 differs)"
	}
	return ""
}
