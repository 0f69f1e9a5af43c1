package policy_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authring/authring/internal/policy"
)

// now is the time of the tests.
var now = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// programs makes files that stand for executables.
func programs(t *testing.T, names ...string) map[string]string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for _, name := range names {
		paths[name] = filepath.Join(dir, name)
		if err := os.WriteFile(paths[name], []byte(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

func running(t *testing.T, path string) policy.Process {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return policy.Process{PID: 7, Path: path, Exe: info}
}

func TestEvaluate(t *testing.T) {
	files := programs(t, "rclone", "curl", "gone")
	rclone, curl, replaced := running(t, files["rclone"]), running(t, files["curl"]), running(t, files["gone"])
	replaced.Path = files["rclone"] + " (deleted)"
	unknown := policy.Process{PID: 7}
	foreign := rclone
	foreign.Foreign = true
	disguised := running(t, files["curl"])
	disguised.Path = files["rclone"] // as in a container with other mounts
	in := func(cgroup string) policy.Process { return policy.Process{PID: 7, Cgroup: cgroup} }
	before, after := now.Add(-time.Second), now.Add(time.Second)
	exe := func(name string) policy.Rule { return policy.Rule{Effect: policy.Allow, Exe: files[name]} }
	with := func(r policy.Rule, change func(*policy.Rule)) policy.Rule { change(&r); return r }
	sum, err := policy.Sum(files["rclone"])
	if err != nil {
		t.Fatal(err)
	}
	const user = "/user.slice/user-1000.slice/user@1000.service/app.slice/"

	for _, test := range []struct {
		name   string
		rules  []policy.Rule
		who    policy.Process
		asked  string
		want   policy.Effect
		rule   int
		scope  string
		reason string
	}{
		{name: "no rules", who: curl, want: policy.Allow},
		{name: "no rules, narrowed", who: unknown, asked: "a", want: policy.Allow, scope: "a"},
		{name: "the executable", rules: []policy.Rule{exe("rclone")}, who: rclone, want: policy.Allow, rule: 1},
		{name: "another executable", rules: []policy.Rule{exe("rclone")}, who: curl, want: policy.Deny, reason: "no rule fits " + files["curl"]},
		{name: "an executable that is not known", rules: []policy.Rule{exe("rclone")}, who: unknown, want: policy.Deny, reason: "not known"},
		{name: "one that was replaced", rules: []policy.Rule{exe("rclone")}, who: replaced, want: policy.Deny, reason: "start it again"},
		{name: "in a container", rules: []policy.Rule{exe("rclone")}, who: foreign, want: policy.Deny, reason: "other mounts"},
		{name: "only the path is the same", rules: []policy.Rule{exe("rclone")}, who: disguised, want: policy.Deny, reason: "replaced"},
		{name: "a rule for a file that is gone", rules: []policy.Rule{{Effect: policy.Allow, Exe: "/nowhere/x"}}, who: rclone, want: policy.Deny},
		{name: "everybody", rules: []policy.Rule{{Effect: policy.Allow}}, who: unknown, want: policy.Allow, rule: 1},
		{name: "nobody", rules: []policy.Rule{{Effect: policy.Deny}}, who: rclone, want: policy.Deny, rule: 1, reason: "rule 1 denies"},
		{
			name:  "the first that fits",
			rules: []policy.Rule{{Effect: policy.Deny, Exe: files["curl"]}, {Effect: policy.Allow}}, who: curl, want: policy.Deny, rule: 1,
		},
		{
			name:  "not the second",
			rules: []policy.Rule{{Effect: policy.Allow}, {Effect: policy.Deny, Exe: files["curl"]}}, who: curl, want: policy.Allow, rule: 1,
		},
		{
			name: "the content", rules: []policy.Rule{with(exe("rclone"), func(r *policy.Rule) { r.SHA256 = sum })},
			who: rclone, want: policy.Allow, rule: 1,
		},
		{
			name: "other content", rules: []policy.Rule{with(exe("rclone"), func(r *policy.Rule) { r.SHA256 = strings.Repeat("0", 64) })},
			who: rclone, want: policy.Deny, reason: "sha256 differs",
		},
		{
			name: "not over yet", rules: []policy.Rule{with(exe("rclone"), func(r *policy.Rule) { r.Until = &after })},
			who: rclone, want: policy.Allow, rule: 1,
		},
		{
			name: "over", rules: []policy.Rule{with(exe("rclone"), func(r *policy.Rule) { r.Until = &before })},
			who: rclone, want: policy.Deny, reason: "rule 1 ended",
		},
		{
			name: "over now", rules: []policy.Rule{with(exe("rclone"), func(r *policy.Rule) { r.Until = &now })},
			who: rclone, want: policy.Deny, reason: "rule 1 ended",
		},
		{
			name: "all is narrowed to what the rule has", rules: []policy.Rule{with(exe("rclone"), func(r *policy.Rule) { r.Scope = []string{"a", "b"} })},
			who: rclone, want: policy.Allow, rule: 1, scope: "a b",
		},
		{
			name: "part of it", rules: []policy.Rule{with(exe("rclone"), func(r *policy.Rule) { r.Scope = []string{"a", "b"} })},
			who: rclone, asked: "b", want: policy.Allow, rule: 1, scope: "b",
		},
		{
			name: "more than it", rules: []policy.Rule{with(exe("rclone"), func(r *policy.Rule) { r.Scope = []string{"a", "b"} })},
			who: rclone, asked: "a c", want: policy.Deny, reason: "rule 1 allows the scope a b only",
		},
		{
			name: "a later rule has it", rules: []policy.Rule{{Effect: policy.Allow, Scope: []string{"a"}}, {Effect: policy.Ask, Scope: []string{"c"}}},
			who: rclone, asked: "c", want: policy.Ask, rule: 2, scope: "c",
		},
		{
			name: "denied for a scope", rules: []policy.Rule{{Effect: policy.Deny, Scope: []string{"w"}}, {Effect: policy.Allow}},
			who: rclone, asked: "r w", want: policy.Deny, rule: 1,
		},
		{
			name: "denied for a scope, which all has", rules: []policy.Rule{{Effect: policy.Deny, Scope: []string{"w"}}, {Effect: policy.Allow}},
			who: rclone, want: policy.Deny, rule: 1,
		},
		{
			name: "not denied for another", rules: []policy.Rule{{Effect: policy.Deny, Scope: []string{"w"}}, {Effect: policy.Allow}},
			who: rclone, asked: "r", want: policy.Allow, rule: 2, scope: "r",
		},
		{
			name: "asked", rules: []policy.Rule{{Effect: policy.Ask, Remember: policy.Duration(time.Minute)}},
			who: curl, want: policy.Ask, rule: 1,
		},
		{
			name: "a unit of the user", rules: []policy.Rule{{Effect: policy.Allow, Unit: "backup.service"}},
			who: in(user + "backup.service"), want: policy.Allow, rule: 1,
		},
		{
			name: "a group below it", rules: []policy.Rule{{Effect: policy.Allow, Unit: "backup.service"}},
			who: in(user + "backup.service/payload"), want: policy.Allow, rule: 1,
		},
		{
			name: "a name that only looks so", rules: []policy.Rule{{Effect: policy.Allow, Unit: "backup.service"}},
			who: in(user + "evil.service/backup.service"), want: policy.Deny,
		},
		{
			name: "a group that a unit of the system made", rules: []policy.Rule{{Effect: policy.Allow, Unit: "backup.service"}},
			who: in("/system.slice/x.service/backup.service"), want: policy.Deny,
		},
		{
			name: "the user's, where the system's is meant", rules: []policy.Rule{{Effect: policy.Allow, SystemUnit: "backup.service"}},
			who: in(user + "backup.service"), want: policy.Deny,
		},
		{
			name: "the system's, where the user's is meant", rules: []policy.Rule{{Effect: policy.Allow, Unit: "backup.service"}},
			who: in("/system.slice/backup.service"), want: policy.Deny,
		},
		{
			name: "a unit of the system", rules: []policy.Rule{{Effect: policy.Allow, SystemUnit: "backup.service"}},
			who: in("/system.slice/backup.service/x"), want: policy.Allow, rule: 1,
		},
		{
			name: "a control group", rules: []policy.Rule{{Effect: policy.Allow, Cgroup: "/machine.slice/a"}},
			who: in("/machine.slice/a/b"), want: policy.Allow, rule: 1,
		},
		{
			name: "another one that begins the same", rules: []policy.Rule{{Effect: policy.Allow, Cgroup: "/machine.slice/a"}},
			who: in("/machine.slice/ab"), want: policy.Deny,
		},
		{
			name: "both must fit", rules: []policy.Rule{{Effect: policy.Allow, Exe: files["rclone"], Cgroup: "/machine.slice/a"}},
			who: rclone, want: policy.Deny,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &policy.Policy{Version: 1}
			for _, r := range test.rules {
				if err := r.Check(); err != nil {
					t.Fatal(err)
				}
				p.Add(r, false)
			}
			got := p.Evaluate(policy.Request{Scope: strings.Fields(test.asked), Who: test.who}, policy.World{
				Now: now, File: os.Stat, Hash: func(p policy.Process) (string, error) { return policy.Sum(p.Path) },
			})
			if got.Effect != test.want || got.Rule != test.rule || strings.Join(got.Scope, " ") != test.scope || !strings.Contains(got.Reason, test.reason) {
				t.Errorf("got %+v; want %s by rule %d, scope %q, because %q", got, test.want, test.rule, test.scope, test.reason)
			}
			if got.Effect == policy.Deny && got.Reason == "" {
				t.Error("denied without a reason")
			}
		})
	}
}

// What is denied to one process is denied to the next of the same program in the
// same words, which a log can count.
func TestReasonsNameNoProcess(t *testing.T) {
	curl := running(t, programs(t, "curl")["curl"])
	p := &policy.Policy{Version: 1, Rules: []policy.Rule{{ID: 1, Effect: policy.Allow, Exe: "/nowhere/rclone"}}}
	for _, who := range []policy.Process{curl, {}} {
		who.PID = 12345
		d := p.Evaluate(policy.Request{Who: who}, policy.World{Now: now, File: os.Stat})
		if d.Effect != policy.Deny || !strings.Contains(d.Reason, "no rule fits") || strings.Contains(d.Reason, "12345") {
			t.Errorf("the reason is %q", d.Reason)
		}
	}
}

func TestRulesThatCannotBe(t *testing.T) {
	for _, r := range []policy.Rule{
		{},
		{Effect: "maybe"},
		{Effect: policy.Allow, Exe: "rclone"},
		{Effect: policy.Allow, Exe: "/usr/bin/../bin/rclone"},
		{Effect: policy.Allow, Exe: "/usr/bin/a\nb"},
		{Effect: policy.Allow, SHA256: strings.Repeat("a", 64)},
		{Effect: policy.Allow, Exe: "/x", SHA256: "abc"},
		{Effect: policy.Allow, Unit: "a/b.service"},
		{Effect: policy.Allow, Unit: "backup"},
		{Effect: policy.Allow, Unit: "app.slice"},
		{Effect: policy.Allow, Cgroup: "/"},
		{Effect: policy.Allow, Cgroup: "a"},
		{Effect: policy.Allow, Cgroup: "/a/../b"},
		{Effect: policy.Allow, Remember: policy.Duration(time.Minute)},
		{Effect: policy.Ask, Remember: policy.Duration(-1)},
		{Effect: policy.Ask, Remember: policy.Duration(25 * time.Hour)},
		{Effect: policy.Allow, Scope: []string{""}},
		{Effect: policy.Allow, Scope: []string{"a b"}},
	} {
		if r.Check() == nil {
			t.Errorf("%+v is accepted", r)
		}
	}
}

func TestParseRefusesWhatItDoesNotKnow(t *testing.T) {
	good := `{"version":1,"rules":[{"id":1,"effect":"allow","exe":"/usr/bin/rclone","added":"2026-05-04T12:00:00Z"}]}`
	if p, err := policy.Parse([]byte(good)); err != nil || len(p.Rules) != 1 {
		t.Fatalf("Parse = %+v, %v", p, err)
	}
	for old, bad := range map[string]string{
		`"version":1`:      `"version":2`,
		`"effect":"allow"`: `"effect":"allow","host":"a"`,
		`"id":1`:           `"id":0`,
		`}]}`:              `}]}{}`,
		`}],`:              `}]`,
		`]}`:               `,{"id":1,"effect":"deny","added":"2026-05-04T12:00:00Z"}]}`,
		`/usr/bin/rclone`:  `rclone`,
	} {
		if !strings.Contains(good, old) {
			continue
		}
		if _, err := policy.Parse([]byte(strings.Replace(good, old, bad, 1))); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestCgroups(t *testing.T) {
	for text, want := range map[string][3]string{
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.slice/a.service\n": {"/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.slice/a.service", "user@1000.service", "a.service"},
		"0::/user.slice/user-1000.slice/session-3.scope\n":                                   {"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", ""},
		"0::/system.slice/cron.service\n":                                                    {"/system.slice/cron.service", "cron.service", ""},
		"1:name=systemd:/system.slice/cron.service\n0::/\n":                                  {"/system.slice/cron.service", "cron.service", ""},
		"9:name=systemd:/\n8:pids:/x\n0::/\n":                                                {"", "", ""},
		"0::/../../evil.service\n":                                                           {"", "", ""},
		"0::/system.slice/cron.service (deleted)\n":                                          {"", "", ""},
		"0::/docker/abc\n":                                                                   {"/docker/abc", "", ""},
		"0::/user.slice/user@1000.service/../a.service\n":                                    {"", "", ""},
		"0::/x/user@1000.service/a.service\n":                                                {"/x/user@1000.service/a.service", "", ""},
		"":                                                                                   {"", "", ""},
	} {
		p := policy.Process{Cgroup: policy.ParseCgroup(text)}
		if got := [3]string{p.Cgroup, p.SystemUnit(), p.Unit()}; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestCautions(t *testing.T) {
	for _, exe := range []string{"/usr/bin/python3.11", "/bin/bash", "/usr/bin/env", "/usr/bin/perl5.36", "/usr/bin/node", "/bin/busybox", "/usr/bin/sudo", "/usr/bin/systemd-run", "/usr/bin/authring"} {
		if policy.Caution(exe) == "" {
			t.Errorf("nothing is said against %s", exe)
		}
	}
	for _, exe := range []string{"/usr/bin/rclone", "/opt/maestral/maestral", "/usr/bin/7z", "/usr/bin/123"} {
		if got := policy.Caution(exe); got != "" {
			t.Errorf("%s: %s", exe, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"version":1,"rules":[{"id":1,"effect":"ask","exe":"/a","scope":["x"],"remember":"10m","until":"2026-05-04T12:00:00Z","added":"2026-05-04T12:00:00Z"}]}`))
	f.Add([]byte(`{"version":1,"rules":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := policy.Parse(data)
		if err != nil {
			return
		}
		who := policy.Process{PID: 1, Cgroup: "/a"}
		d := p.Evaluate(policy.Request{Who: who}, policy.World{Now: now, File: func(string) (os.FileInfo, error) { return nil, errors.New("no") }})
		if d.Effect != policy.Deny && d.Rule == 0 && len(p.Rules) > 0 {
			t.Errorf("%+v without a rule", d)
		}
	})
}

func FuzzCgroup(f *testing.F) {
	f.Add("0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service\n")
	f.Add("1:name=systemd:/x\n0::/../..\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := policy.Process{Cgroup: policy.ParseCgroup(text)}
		if slices.Contains(strings.Split(p.Cgroup, "/"), "..") {
			t.Errorf("%q", p.Cgroup)
		}
		for _, unit := range []string{p.Unit(), p.SystemUnit()} {
			if strings.Contains(unit, "/") {
				t.Errorf("%q", unit)
			}
		}
	})
}
