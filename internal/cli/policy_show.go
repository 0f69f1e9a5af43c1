package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authring/authring/internal/audit"
	"github.com/authring/authring/internal/policy"
)

// policyObject is a policy in JSON output. Its members are promises.
type policyObject struct {
	App     string        `json:"app"`
	Config  string        `json:"config"`
	Path    string        `json:"path"`
	Default string        `json:"default"` // for what no rule fits: allow or deny
	Rules   []policy.Rule `json:"rules"`
}

func (r *policyRun) show() error {
	path := r.layout.PolicyPath(r.config)
	p, err := policy.Load(path)
	if err != nil {
		return r.broken(err)
	}
	object := policyObject{App: r.app, Config: r.config, Path: path, Default: string(policy.Allow), Rules: []policy.Rule{}}
	if p != nil {
		object.Default, object.Rules = string(policy.Deny), p.Rules
	}
	if r.json {
		return r.printJSON(object)
	}
	if p == nil {
		fmt.Fprintf(r.stdout, "%s has no rules: every program of yours may have its tokens.\n", printable(r.config))
		return nil
	}
	fmt.Fprintf(r.stdout, "%s: the first rule that fits decides, and what none allows is denied.\n", printable(r.config))
	for _, rule := range p.Rules {
		text := ruleText(rule)
		if rule.Until != nil && !time.Now().Before(*rule.Until) {
			text = r.stdout.paint(dim, text+" (over)")
		}
		fmt.Fprintf(r.stdout, "%4d  %s\n", rule.ID, text)
	}
	return nil
}

// ruleText is a rule in words.
func ruleText(rule policy.Rule) string {
	var who []string
	for _, one := range []struct{ what, value string }{
		{"", rule.Exe}, {"the unit ", rule.Unit}, {"the system's unit ", rule.SystemUnit}, {"the control group ", rule.Cgroup},
	} {
		if one.value != "" {
			who = append(who, one.what+printable(one.value))
		}
	}
	text := string(rule.Effect) + "  " + strings.Join(who, " in ")
	if rule.Everybody() {
		text = string(rule.Effect) + "  every program"
	}
	if rule.SHA256 != "" {
		text += " (sha256 " + rule.SHA256[:12] + "…)"
	}
	if len(rule.Scope) > 0 {
		text += ", for " + printable(strings.Join(rule.Scope, " "))
	}
	if rule.Remember > 0 {
		text += ", answer holds for " + time.Duration(rule.Remember).String()
	}
	if rule.Until != nil {
		text += ", until " + auditTime(*rule.Until)
	}
	return text
}

// broken is the error of a policy that cannot be used, which keeps the agent
// from giving anything.
func (r *policyRun) broken(err error) error {
	var u *usageError
	if errors.As(err, &u) {
		return err
	}
	if _, unreadable := policy.Load(r.layout.PolicyPath(r.config)); unreadable == nil {
		return err // of writing it, or of the lock
	}
	return &failure{
		err: err, message: printableLines(err.Error()),
		hint: "Until it can be read, the agent refuses everybody. Repair or remove " + printable(r.layout.PolicyPath(r.config)) + ".",
	}
}

func (r *policyRun) log() error {
	if r.number < 0 {
		return usage("policy", "-n cannot be less than nothing")
	}
	entries, err := audit.Read(r.layout.AuditPath(r.config), r.number)
	if err != nil {
		return err
	}
	if r.json {
		if entries == nil {
			entries = []audit.Entry{}
		}
		return r.printJSON(entries)
	}
	if len(entries) == 0 {
		r.say("Nobody has asked the agent for a token of %q yet.", printable(r.config))
		return nil
	}
	for _, e := range entries {
		r.printEntry(e)
	}
	return nil
}

func (r *policyRun) printEntry(e audit.Entry) {
	colour := map[string]string{audit.Allowed: green, audit.Denied: red}[e.Answer]
	line := fmt.Sprintf("%s  %s  %s", auditTime(e.At), r.stdout.paint(colour, pad(printable(e.Answer), len(audit.Allowed))), orWord(e.Executable, "?"))
	if e.PID != 0 {
		line += fmt.Sprintf(" (pid %d)", e.PID)
	}
	if e.Via != 0 {
		line += fmt.Sprintf(" by way of authring (pid %d)", e.Via)
	}
	if e.Count > 0 {
		line += fmt.Sprintf(" and %d more like it", e.Count)
	}
	rule := e.Rule
	if strings.HasPrefix(e.Reason, "rule "+rule+" ") {
		rule = "" // the reason names it
	}
	var more []string
	for _, one := range []struct{ what, value string }{
		{"rule ", rule}, {"for ", e.Scope}, {"given ", e.Granted}, {"", e.Reason},
	} {
		if one.value != "" && !(one.what == "given " && e.Granted == e.Scope) {
			more = append(more, one.what+printable(one.value))
		}
	}
	if len(more) > 0 {
		line += "  " + r.stdout.paint(dim, strings.Join(more, ", "))
	}
	fmt.Fprintln(r.stdout, line)
}
