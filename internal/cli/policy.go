package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authring/authring/internal/child"
	"github.com/authring/authring/internal/policy"
	"github.com/authring/authring/record"
)

type policyFlags struct {
	exe, unit, systemUnit, cgroup string
	pin, anyone, first            bool
	scope                         []string
	lasts, remember               time.Duration
	number                        int
}

const policyLong = `Say which programs may have access tokens of a link from the agent. Without a
rule every program of yours may. As soon as there is one, the first rule that
fits a request decides, and what none allows is denied.

show lists the rules, and log who asked lately and what the answer was.

allow, deny and ask add a rule, behind the others or with --first before them.
ask has a notification of the desktop with two buttons asked; where there is
none, it denies. Who it is for:

  --exe PROGRAM       what runs this very file. A program that was updated must
                      be started again. With --pin also its content is compared.
  --system-unit NAME  what belongs to a unit of the system's service manager
  --unit NAME         or of yours, which any program of yours can make
  --cgroup PATH       what is in a control group, or below it
  --any               everybody

A rule with --scope gives a token for that scope at most: who asks for more is
denied, and who asks for all gets a narrower one. With --for the rule ends after
a while; a token that was handed out lives as long as the provider said.

remove ID takes a rule away. The last one leaves the link open to all again.

Who asks by way of authring token is judged by the program that started it; an
interpreter such as python is all of its scripts. The rules hold for the agent:
a program of yours that means harm can ask the keyring itself. authring(1) and
docs/policy.md say more.`

const policyExample = `  authring policy allow -c work --exe rclone --scope files.content.read
  authring policy ask -c work --any --remember 10m
  authring policy allow -c work --system-unit backup.service --for 720h
  authring policy log -c work -n 5`

var policyWords = []string{"show", "allow", "deny", "ask", "remove", "log"}

func (p *program) policyCommand() *cobra.Command {
	o := policyFlags{number: 20}
	cmd := p.newCommand(&cobra.Command{
		Use:       "policy show|allow|deny|ask|remove|log [ID] [options]",
		Short:     "Say which programs may have access tokens",
		ValidArgs: policyWords,
		Args:      cobra.ArbitraryArgs,
		RunE:      func(cmd *cobra.Command, args []string) error { return p.runPolicy(cmd, args, o) },
	}, page{
		long: policyLong, example: policyExample,
		exits: []int{exitOK, exitUsage, exitInternal, exitInterrupted},
	})
	flags := cmd.Flags()
	flags.StringVar(&o.exe, "exe", "", "what runs this `PROGRAM`, by its path or name")
	flags.BoolVar(&o.pin, "pin", false, "and only as long as its content stays what it is now")
	flags.StringVar(&o.unit, "unit", "", "what belongs to the unit `NAME` of your service manager")
	flags.StringVar(&o.systemUnit, "system-unit", "", "what belongs to the unit `NAME` of the system's")
	flags.StringVar(&o.cgroup, "cgroup", "", "what is in the control group at `PATH`")
	flags.BoolVar(&o.anyone, "any", false, "every program of yours")
	flags.StringSliceVar(&o.scope, "scope", nil, "for this `SCOPE` only; several with commas, or repeated")
	flags.DurationVar(&o.lasts, "for", 0, "the rule ends after this `TIME`")
	flags.Lookup("for").DefValue = ""
	flags.DurationVar(&o.remember, "remember", 0, "your answer holds for this `TIME` (ask)")
	flags.Lookup("remember").DefValue = ""
	flags.BoolVar(&o.first, "first", false, "put the rule before the others")
	flags.IntVarP(&o.number, "number", "n", o.number, "show the last `N` entries (log)")
	return cmd
}

// policyRun is one run of the verb.
type policyRun struct {
	*program
	policyFlags
	layout record.Layout
	given  func(flag string) bool
}

func (p *program) runPolicy(cmd *cobra.Command, args []string, o policyFlags) error {
	word := "show"
	if len(args) > 0 {
		word = args[0]
	}
	switch {
	case !slices.Contains(policyWords, word):
		return usage("policy", "policy takes one of the words show, allow, deny, ask, remove and log")
	case word == "remove" && len(args) != 2:
		return usage("policy", "name one rule to remove by its ID; authring policy show lists them")
	case word != "remove" && len(args) > 1:
		return usage("policy", "after %s there are flags only", word)
	}
	if err := record.CheckConfigName(p.config); err != nil {
		return err
	}
	layout, err := record.NewLayout(p.app)
	if err != nil {
		return err
	}
	r := &policyRun{program: p, policyFlags: o, layout: layout, given: cmd.Flags().Changed}
	if err := r.checkFlags(word); err != nil {
		return err
	}
	switch word {
	case "show":
		return r.show()
	case "log":
		return r.log()
	case "remove":
		return r.remove(cmd.Context(), args[1])
	default:
		return r.add(cmd.Context(), policy.Effect(word))
	}
}

// checkFlags refuses flags that mean nothing with a word.
func (r *policyRun) checkFlags(word string) error {
	adds := []string{"allow", "deny", "ask"}
	for flag, words := range map[string][]string{
		"exe": adds, "pin": adds, "unit": adds, "system-unit": adds, "cgroup": adds, "any": adds, "scope": adds,
		"for": adds, "first": adds, "remember": {"ask"}, "number": {"log"},
	} {
		if r.given(flag) && !slices.Contains(words, word) {
			return usage("policy", "--%s is not for %s", flag, word)
		}
	}
	if !slices.Contains(adds, word) {
		return nil
	}
	named := r.given("exe") || r.given("unit") || r.given("system-unit") || r.given("cgroup")
	switch {
	case !named && !r.anyone:
		return usage("policy", "say who the rule is for: --exe, --system-unit, --unit or --cgroup, or --any for every program of yours")
	case named && r.anyone:
		return usage("policy", "--any is every program of yours; leave it out, or the others")
	case r.pin && !r.given("exe"):
		return usage("policy", "--pin is about the program of --exe")
	case r.given("for") && r.lasts <= 0, r.given("remember") && r.remember <= 0:
		return usage("policy", "--for and --remember take a time that is more than nothing")
	case r.given("scope") && len(r.scope) == 0:
		return usage("policy", "--scope names none")
	case r.given("exe") && r.exe == "", r.given("unit") && r.unit == "", r.given("system-unit") && r.systemUnit == "", r.given("cgroup") && r.cgroup == "":
		return usage("policy", "a flag that says who the rule is for has no value")
	}
	return nil
}

// rule is what the flags say.
func (r *policyRun) rule(effect policy.Effect) (policy.Rule, error) {
	rule := policy.Rule{
		Effect: effect, Unit: r.unit, SystemUnit: r.systemUnit, Cgroup: r.cgroup,
		Scope: slices.Compact(slices.Sorted(slices.Values(r.scope))), Remember: policy.Duration(r.remember),
		Added: time.Now().UTC().Truncate(time.Second),
	}
	if r.lasts > 0 {
		until := rule.Added.Add(r.lasts)
		rule.Until = &until
	}
	if r.exe != "" {
		path, err := resolveProgram(r.exe)
		if err != nil {
			return rule, &failure{err: &usageError{}, message: fmt.Sprintf("no rule can be for %q: %v", r.exe, err), hint: "Name one that is there by its path."}
		}
		rule.Exe = path
		if r.pin {
			if rule.SHA256, err = policy.Sum(path); err != nil {
				return rule, fmt.Errorf("could not read %s: %w", path, err)
			}
		}
	}
	if err := rule.Check(); err != nil {
		return rule, usage("policy", "the rule cannot be: %v", err)
	}
	return rule, nil
}

// resolveProgram finds a program as a shell does, and returns the path without
// symbolic links.
func resolveProgram(name string) (string, error) {
	path, err := child.Find(name)
	if err != nil {
		return "", err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

func (r *policyRun) add(ctx context.Context, effect policy.Effect) error {
	rule, err := r.rule(effect)
	if err != nil {
		return err
	}
	var total int
	_, err = policy.Update(ctx, r.layout.PolicyPath(r.config), r.layout.PolicyLockPath(r.config), func(p *policy.Policy) error {
		rule = p.Add(rule, r.first)
		total = len(p.Rules)
		return nil
	})
	if err != nil {
		return r.broken(err)
	}
	r.done("Rule %d of %q: %s", rule.ID, r.config, ruleText(rule))
	if total == 1 {
		r.say("From now on the agent gives tokens of %q only as a rule says.", printable(r.config))
	}
	r.cautions(rule)
	if r.json {
		return r.printJSON(rule)
	}
	return nil
}

// cautions tell what a rule does not keep out.
func (r *policyRun) cautions(rule policy.Rule) {
	if rule.Exe != "" && rule.Effect != policy.Deny {
		if text := policy.Caution(rule.Exe); text != "" {
			r.warn("%s.", text)
		}
		if info, err := os.Stat(rule.Exe); err == nil && info.Mode().Perm()&0o022 != 0 {
			r.warn("Others can change %s.", rule.Exe)
		}
	}
	if rule.Unit != "" {
		r.warn("Any program of yours can start a unit by this name. A unit of the system is safe from that: --system-unit.")
	}
	if missing := r.notGranted(rule.Scope); len(missing) > 0 && rule.Effect != policy.Deny {
		r.warn("%q was not granted %s: who asks by this rule gets an error.", r.config, strings.Join(missing, " "))
	}
	if from, err := r.provider(); err == nil && len(rule.Scope) > 0 && rule.Effect != policy.Deny && !from.NarrowsScope {
		r.warn("%s cannot limit a token to a scope: nothing will be handed out by this rule.", from.Title)
	}
}

// notGranted are those of a scope that the link does not have, as far as its record
// tells.
func (r *policyRun) notGranted(scope []string) []string {
	rec, err := r.layout.Load(r.config)
	granted := strings.Fields(rec.Scope)
	if err != nil || len(granted) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(scope), func(token string) bool { return slices.Contains(granted, token) })
}

func (r *policyRun) remove(ctx context.Context, text string) error {
	id, err := strconv.Atoi(text)
	if err != nil {
		return usage("policy", "the ID of a rule is a number; authring policy show lists them")
	}
	p, err := policy.Update(ctx, r.layout.PolicyPath(r.config), r.layout.PolicyLockPath(r.config), func(p *policy.Policy) error {
		if !p.Remove(id) {
			return usage("policy", "the policy of %q has no rule %d", r.config, id)
		}
		return nil
	})
	if err != nil {
		return r.broken(err)
	}
	r.done("Removed rule %d of %q", id, r.config)
	if len(p.Rules) == 0 {
		r.warn("That was the last rule: every program of yours may have tokens of %q again.", r.config)
	}
	if r.json {
		return r.printJSON(map[string]any{"config": r.config, "removed": id, "rules": len(p.Rules)})
	}
	return nil
}
