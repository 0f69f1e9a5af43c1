// Package policy decides which processes of the user may have a token of a
// link: rules in a file, of which the first that fits wins.
//
// Without a file every process of the user may. Once there is a rule, what no
// rule allows is denied. What a rule can hold a process to is told in
// docs/policy.md, and what it cannot: a program of the same user that means
// harm has ways around the agent, and so around every rule.
package policy

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Effect is what becomes of a request that fits a rule.
type Effect string

// The effects.
const (
	Allow Effect = "allow"
	Deny  Effect = "deny"
	Ask   Effect = "ask" // the user is asked
)

// Rule is one rule. Each of Exe, Unit, SystemUnit and Cgroup that is set must
// fit; with none of them the rule is for every process of the user.
type Rule struct {
	// ID names the rule as long as it is there. It says nothing of its place.
	ID     int    `json:"id"`
	Effect Effect `json:"effect"`

	// Exe is the absolute path of an executable, without symbolic links. It
	// fits a process that runs the very file that stands at the path now.
	Exe string `json:"exe,omitempty"`
	// SHA256 is what that file must hold, in hexadecimal digits.
	SHA256 string `json:"sha256,omitempty"`
	// Unit is a unit of the user's service manager, SystemUnit one of the
	// system's, which programs of the user cannot make.
	Unit       string `json:"unit,omitempty"`
	SystemUnit string `json:"system_unit,omitempty"`
	// Cgroup is a control group; those below it fit as well.
	Cgroup string `json:"cgroup,omitempty"`

	// Scope is all that a rule allows; who asks for everything gets this
	// much. A rule that denies fits what asks for any of it. Empty is all.
	Scope []string `json:"scope,omitempty"`

	// Until is when the rule ends, if it does. Tokens that were handed out
	// before live on for as long as the provider said.
	Until *time.Time `json:"until,omitempty"`
	// Remember is for how long an answer of the user's is not asked for
	// again; of rules that ask only.
	Remember Duration `json:"remember,omitempty"`

	Added time.Time `json:"added"`
}

// Policy is the rules of a link, in order.
type Policy struct {
	Version int    `json:"version"`
	Rules   []Rule `json:"rules"`
}

// version is that of the format of the file.
const version = 1

// Bounds of a policy.
const (
	mostRules    = 200
	longestText  = 4096
	longestAsked = 24 * time.Hour
)

// Duration is a length of time that JSON has as text, such as 10m.
type Duration time.Duration

// MarshalText writes a duration as Go does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// Check tells what is wrong with a rule.
func (r Rule) Check() error {
	switch r.Effect {
	case Allow, Deny, Ask:
	default:
		return fmt.Errorf("its effect is %.20q, and not allow, deny or ask", string(r.Effect))
	}
	for _, text := range append([]string{r.Exe, r.Unit, r.SystemUnit, r.Cgroup}, r.Scope...) {
		if len(text) > longestText || strings.ContainsFunc(text, unicode.IsControl) {
			return errors.New("it holds a text that is too long, or has control characters")
		}
	}
	switch {
	case r.Exe != "" && (!filepath.IsAbs(r.Exe) || filepath.Clean(r.Exe) != r.Exe):
		return fmt.Errorf("the executable %q is not an absolute path", r.Exe)
	case r.SHA256 != "" && (r.Exe == "" || !isSHA256(r.SHA256)):
		return errors.New("its sha256 is not that of an executable")
	case r.Cgroup != "" && (!path.IsAbs(r.Cgroup) || path.Clean(r.Cgroup) != r.Cgroup || r.Cgroup == "/"):
		return fmt.Errorf("the control group %q is not a path below /", r.Cgroup)
	case !isUnit(r.Unit):
		return fmt.Errorf("%q is not the name of a unit, such as backup.service", r.Unit)
	case !isUnit(r.SystemUnit):
		return fmt.Errorf("%q is not the name of a unit, such as backup.service", r.SystemUnit)
	case r.Remember != 0 && r.Effect != Ask:
		return errors.New("it asks nobody, and has an answer to remember")
	case r.Remember < 0 || time.Duration(r.Remember) > longestAsked:
		return fmt.Errorf("an answer can be remembered for %v at most", longestAsked)
	}
	for _, token := range r.Scope {
		if token == "" || strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) {
			return fmt.Errorf("%q is no scope", token)
		}
	}
	return nil
}

// isUnit accepts the empty name, and names with a type that holds processes.
func isUnit(name string) bool {
	return name == "" || !strings.Contains(name, "/") && isProcessUnit(name)
}

func isSHA256(text string) bool {
	return len(text) == 64 && !strings.ContainsFunc(text, func(c rune) bool { return !strings.ContainsRune("0123456789abcdef", c) })
}

// Everybody reports whether a rule fits every process.
func (r Rule) Everybody() bool {
	return r.Exe == "" && r.Unit == "" && r.SystemUnit == "" && r.Cgroup == ""
}

func (p *Policy) check() error {
	if p.Version != version {
		return fmt.Errorf("it is of version %d, and this program knows version %d", p.Version, version)
	}
	if len(p.Rules) > mostRules {
		return fmt.Errorf("it has more than %d rules", mostRules)
	}
	var ids []int
	for i, r := range p.Rules {
		if err := r.Check(); err != nil {
			return fmt.Errorf("rule %d of it cannot be used: %w", i+1, err)
		}
		if r.ID <= 0 || slices.Contains(ids, r.ID) {
			return fmt.Errorf("rule %d of it has no id of its own", i+1)
		}
		ids = append(ids, r.ID)
	}
	return nil
}
