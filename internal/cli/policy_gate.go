package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/authring/authring/agent"
	"github.com/authring/authring/internal/audit"
	"github.com/authring/authring/internal/notify"
	"github.com/authring/authring/internal/policy"
	"github.com/authring/authring/record"
)

// gatekeeper holds the agent to the policies of its links, and keeps the audit
// logs.
type gatekeeper struct {
	*program
	gate *policy.Gate

	mu    sync.Mutex
	files map[agent.Link]linkFiles
	logs  map[string]*audit.Log
}

// linkFiles are the files of a link.
type linkFiles struct {
	policy, audit string
	layout        record.Layout
}

// verdict is what was found out for an answer, for the log.
type verdict struct {
	who    policy.Process
	reason string
}

// mostLinks bounds how many links' files are remembered.
const mostLinks = 4096

func (p *program) gatekeeper() *gatekeeper {
	k := &gatekeeper{program: p, files: map[agent.Link]linkFiles{}, logs: map[string]*audit.Log{}}
	k.gate = &policy.Gate{Question: k.question, Path: func(app, config string) (string, error) {
		files, err := k.filesOf(agent.Link{App: app, Config: config})
		return files.policy, err
	}}
	return k
}

// filesOf are those of a link.
func (k *gatekeeper) filesOf(link agent.Link) (linkFiles, error) {
	k.mu.Lock()
	files, ok := k.files[link]
	k.mu.Unlock()
	if ok {
		return files, nil
	}
	layout, err := record.NewLayout(link.App)
	if err == nil {
		err = record.CheckConfigName(link.Config)
	}
	if err != nil {
		return linkFiles{}, err
	}
	files = linkFiles{layout.PolicyPath(link.Config), layout.AuditPath(link.Config), layout}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.files) >= mostLinks {
		clear(k.files)
	}
	k.files[link] = files
	return files, nil
}

// Close ends the audit logs.
func (k *gatekeeper) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var failed error
	for _, log := range k.logs {
		failed = errors.Join(failed, log.Close())
	}
	return failed
}

// authorize is the agent's question for each token.
func (k *gatekeeper) authorize(ctx context.Context, ask agent.Ask) (agent.Answer, error) {
	if k.gate.Open(ask.App, ask.Config) {
		return agent.Answer{}, nil
	}
	who := k.identify(ask.Process)
	d := k.gate.Decide(ctx, ask.App, ask.Config, policy.Request{Scope: ask.Scope, Who: who})
	if err := ctx.Err(); err != nil {
		return agent.Answer{}, context.Cause(ctx)
	}
	if d.Effect != policy.Allow {
		return agent.Answer{}, &agent.RefusedError{
			Message: printable(fmt.Sprintf("the policy of the link %q refuses it: %s", ask.Config, d.Reason)),
			Hint:    printableLines(k.refusalHint(ask.Link, who, d)), Rule: ruleName(d.Rule), Note: verdict{who, d.Reason},
		}
	}
	return agent.Answer{Scope: d.Scope, Rule: ruleName(d.Rule), Note: verdict{who, d.Reason}}, nil
}

// identify finds out who asks. Only a rule for every process fits one that is
// not known.
func (k *gatekeeper) identify(asks agent.Process) policy.Process {
	who, err := policy.Identify(asks.PID, asks.Executable, asks.Check)
	if err != nil {
		k.logger().Debug("who asks is not known", "pid", asks.PID, "error", err)
		return policy.Process{PID: asks.PID}
	}
	return who
}

func ruleName(id int) string {
	if id == 0 {
		return ""
	}
	return fmt.Sprint(id)
}

// refusalHint says what can be done about a refusal. A no of the user's is one.
func (k *gatekeeper) refusalHint(link agent.Link, who policy.Process, d policy.Decision) string {
	q := k.forLink(link.App, link.Config)
	if d.Unreadable {
		return "See what to do about it: " + q.command("policy", "show")
	}
	hint := "See the rules: " + q.command("policy", "show")
	if !d.Answered && who.Exe != nil && !who.Foreign && !strings.HasSuffix(who.Path, " (deleted)") && who.Path == printable(who.Path) {
		flags := []string{"allow", "--exe", who.Path}
		if d.Rule != 0 {
			flags = append(flags, "--first") // behind that rule it would decide nothing
		}
		hint += "\nTo allow this program: " + q.command("policy", flags...)
	}
	return hint
}

// question asks the user by the desktop.
func (k *gatekeeper) question(ctx context.Context, q policy.Question) (bool, error) {
	return notify.Ask(ctx, notifyQuestion(q))
}

func notifyQuestion(q policy.Question) notify.Question {
	what := "It wants all that the link may do."
	if len(q.Scope) > 0 {
		what = "It wants: " + strings.Join(q.Scope, ", ")
	}
	who := q.Who.String()
	if q.Who.Foreign {
		who += ", in other mounts (a container, a sandbox)"
	}
	lines := []string{who, what}
	if q.Remember > 0 {
		lines = append(lines, "Your answer holds for "+q.Remember.String()+".")
	}
	title := fmt.Sprintf("Give an access token for %q?", q.Config)
	if q.App != defaultApp {
		title = fmt.Sprintf("Give an access token for %q of %s?", q.Config, q.App)
	}
	return notify.Question{Title: title, Lines: lines, Yes: "Allow", No: "Deny"}
}

// audit writes down what the agent answered.
func (k *gatekeeper) audit(e agent.Entry) {
	log := k.logOf(e.Ask.Link)
	if log == nil {
		return
	}
	found, judged := e.Note.(verdict)
	who := found.who
	switch {
	case judged:
	case strings.HasPrefix(filepath.Base(e.Ask.Process.Executable), "authring"):
		who = k.identify(e.Ask.Process) // who started it is of interest
	default:
		who = policy.Process{PID: e.Ask.Process.PID, Path: e.Ask.Process.Executable}
	}
	entry := audit.Entry{
		At: e.Time, Answer: audit.Allowed, What: "token", App: e.Ask.App, Config: e.Ask.Config,
		PID: who.PID, Executable: who.Path, Via: who.Via, Cgroup: who.Cgroup,
		Scope: strings.Join(e.Ask.Scope, " "), Rule: e.Rule,
	}
	switch e.Outcome {
	case "ok":
		entry.Granted = strings.Join(e.Scope, " ")
	case "refused":
		entry.Answer, entry.Reason = audit.Denied, found.reason
	default:
		entry.Answer, entry.Reason = audit.Failed, e.Outcome
	}
	if err := log.Append(entry); err != nil {
		k.logger().Warn("could not write the audit log", "error", err)
	}
}

// logOf returns the log of a link. Nothing is kept for links that are not
// there: whoever asks could make any number of files.
func (k *gatekeeper) logOf(link agent.Link) *audit.Log {
	files, err := k.filesOf(link)
	if err != nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if log := k.logs[files.audit]; log != nil {
		return log
	}
	if rec, err := files.layout.Load(link.Config); err != nil || rec.Empty() {
		return nil
	}
	log := audit.Open(files.audit)
	k.logs[files.audit] = log
	return log
}

// auditTime is how times of the log are shown.
func auditTime(at time.Time) string { return at.Local().Format(time.DateTime) }
