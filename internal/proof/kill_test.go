package proof_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/keyring"
)

const (
	killAt   = "AUTHRING_TEST_KILL_AT"
	killList = "AUTHRING_TEST_KILL_AT_LIST"

	// secretWritten is the step at which a new secret is in the keyring. A
	// process that dies between the server's making of a grant and this leaves
	// a grant that nobody can use, and nobody can revoke from here: nothing
	// but the keyring may hold its secret.
	secretWritten = "link: secret written"

	// secretMoved is the step at which two keyrings hold the secret.
	secretMoved = "migrate: secret written"
)

// operation is what is cut short.
type operation struct {
	name  string
	setUp func(*trial)
	verb  string
	// other makes the verb use plain text, not the desk's own keyring.
	other bool
	// offline has the server refuse all, or the one kind of requests.
	offline string
	// links: the verb makes a grant.
	links bool
	// keeps: whatever happens the link must be usable with no repair.
	keeps bool
	// least is how many steps there are at least.
	least int
}

// linked links, and has the account change its address, so that the record of
// another link is another one: one that would not change is not written.
func linked(tr *trial) {
	tr.t.Helper()
	tr.must("link")
	user := tr.server.User()
	user.Email = "ada.king@example.org"
	tr.server.SetUser(user)
}

var operations = []operation{
	{name: "link", setUp: func(*trial) {}, verb: "link", links: true, least: 4},
	{name: "relink", setUp: linked, verb: "link", links: true, keeps: true, least: 6},
	{name: "relink while old grants cannot be ended", setUp: linked, verb: "link", offline: "refresh", links: true, keeps: true, least: 6},
	{name: "relink to another account", setUp: func(tr *trial) {
		tr.must("link")
		tr.server.SetUser(dropboxtest.User{AccountID: "dbid:another", Email: "bob@example.org"})
	}, verb: "link", links: true, keeps: true, least: 6},
	{name: "relink to another keyring", setUp: linked, verb: "link", other: true, links: true, keeps: true, least: 6},
	{name: "move to another keyring", setUp: linked, verb: "migrate", other: true, keeps: true, least: 5},
	{name: "completion of a move", setUp: func(tr *trial) {
		linked(tr)
		if !tr.killed(tr.armed(killAt+"="+secretMoved, "migrate")) {
			tr.t.Fatalf("the move was not cut short")
		}
	}, verb: "migrate", other: true, keeps: true, least: 1},
	{name: "refresh", setUp: linked, verb: "refresh", least: 4},
	{name: "completion of a link", setUp: func(tr *trial) {
		linked(tr)
		if !tr.killed(tr.armed(killAt+"="+secretWritten, "link")) {
			tr.t.Fatalf("the link was not cut short")
		}
	}, verb: "refresh", least: 4},
	{name: "unlink", setUp: linked, verb: "unlink", least: 3},
	{name: "unlink offline", setUp: linked, verb: "unlink", offline: "all", least: 4},
	{name: "retry of revocations", setUp: func(tr *trial) {
		tr.must("link")
		tr.offline("all")
		tr.must("unlink")
		tr.offline("")
		tr.must("link")
	}, verb: "retry", keeps: true, least: 3},
}

// trial is one operation that is cut short, in a home and with a server of its
// own.
type trial struct {
	t      *testing.T
	desk   desk
	home   home
	server *dropboxtest.Server
	op     operation
	replay string
	link   link
}

// replays are the rules for used refresh tokens, and the options of the
// emulator that go with them.
var replays = map[string][]dropboxtest.Option{
	"grace":    {dropboxtest.WithReuseDetection(), dropboxtest.WithGrace(30 * time.Second)},
	"single":   {dropboxtest.WithReuseDetection()},
	"reusable": nil,
}

func newTrial(t *testing.T, d desk, op operation, replay string) *trial {
	t.Helper()
	folder, err := os.MkdirTemp(programs, "home")
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{t: t, desk: d, home: home{folder}, op: op, replay: replay}
	tr.server = dropboxtest.NewServer(append([]dropboxtest.Option{dropboxtest.WithAutoApprove()}, replays[replay]...)...)
	tr.link = link{
		server: tr.server, program: program(t, plainWorker),
		args: []string{"-replay", replay, "-keyring", string(d.keyring)}, environ: tr.home.environ(d.environ...),
	}
	op.setUp(tr)
	return tr
}

func (tr *trial) close() {
	tr.server.Close()
	_ = os.RemoveAll(tr.home.dir)
}

// relinkElsewhere moves the link to the other keyring.
func (tr *trial) relinkElsewhere() {
	tr.t.Helper()
	l := tr.link
	l.args = tr.elsewhere()
	l.do(tr.t, "link")
}

// elsewhere are the arguments of a worker that uses the other keyring.
func (tr *trial) elsewhere() []string {
	return []string{"-replay", tr.replay, "-keyring", string(keyring.Plaintext)}
}

func (tr *trial) must(verbs ...string) string {
	tr.t.Helper()
	return tr.link.do(tr.t, verbs...)
}

// offline has the emulator send clients away, for longer than they wait.
func (tr *trial) offline(what string) {
	tr.server.ClearFaults()
	if what != "" {
		tr.server.SetFault(what + ":rate-limit=1h")
	}
}

// armed is a worker that may be killed at a step.
func (tr *trial) armed(variable string, verb string) *exec.Cmd {
	tr.t.Helper()
	l := tr.link
	l.program = program(tr.t, armedWorker)
	if tr.op.other && verb == tr.op.verb {
		l.args = tr.elsewhere()
	}
	l.environ = append(slices.Clone(l.environ), variable)
	return l.command(verb)
}

// killed runs a command and reports whether it was killed.
func (tr *trial) killed(cmd *exec.Cmd) bool {
	tr.t.Helper()
	out, err := finish(cmd)
	if err == nil {
		return false
	}
	if strings.Contains(out, "error: ") {
		tr.t.Errorf("%s: %s", tr.op.name, out)
	}
	return true
}

// steps runs the operation to its end and lists the steps that it passes.
func (tr *trial) steps() (steps []string) {
	tr.t.Helper()
	file := filepath.Join(tr.home.dir, "steps")
	tr.offline(tr.op.offline)
	if out, err := finish(tr.armed(killList+"="+file, tr.op.verb)); err != nil {
		tr.t.Fatalf("%s: %v: %s", tr.op.name, err, out)
	}
	tr.offline("")
	data, err := os.ReadFile(file)
	if err != nil {
		tr.t.Fatalf("%s: no steps: %v", tr.op.name, err)
	}
	seen := map[string]int{}
	for _, step := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		steps = append(steps, fmt.Sprintf("%s#%d", step, seen[step]))
		seen[step]++
	}
	if len(steps) < tr.op.least {
		tr.t.Errorf("%s has only %d steps: %q", tr.op.name, len(steps), steps)
	}
	return steps
}

// figures are what a test did.
type figures struct {
	mu                         sync.Mutex
	desks, kills               int
	steps                      map[string]bool // by operation and name
	late                       int             // kills of what had ended
	usable, unlinked, repaired int
	unknown                    int // new grants that are left at the server
}

func (f *figures) add(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *figures) String() string {
	what := fmt.Sprintf("%d kills", f.kills)
	if len(f.steps) > 0 {
		what += fmt.Sprintf(" at %d steps", len(f.steps))
	}
	if f.late > 0 {
		what += fmt.Sprintf(" and %d that came too late", f.late)
	}
	return what + fmt.Sprintf(": %d links usable at once, %d unlinked, %d repaired by one relink; %d new grants that died with the process that got them",
		f.usable, f.unlinked, f.repaired, f.unknown)
}

// rounds is how often each step is tried, each time with another rule for used
// refresh tokens.
func rounds() []string {
	if os.Getenv(needs.Everything) != "" {
		return []string{"grace", "single", "reusable"}
	}
	return []string{"grace"}
}

// Every operation is killed at each of its durable steps, on each keyring.
func TestKilledAtEachStep(t *testing.T) {
	var total figures
	t.Run("desks", func(t *testing.T) {
		for _, d := range desks {
			t.Run(d.name, func(t *testing.T) {
				t.Parallel()
				desk := d.open(t)
				for _, replay := range rounds() {
					for _, op := range operations {
						killAtEachStep(t, &total, desk, op, replay)
					}
				}
				total.add(func() { total.desks++ })
			})
		}
	})
	if len(rounds()) > 1 && total.desks == len(desks) && total.kills < 1000 {
		t.Errorf("only %d kills", total.kills)
	}
	t.Logf("%v", &total)
}

func killAtEachStep(t *testing.T, total *figures, d desk, op operation, replay string) {
	t.Helper()
	if op.other && d.keyring == keyring.Plaintext {
		return // it is the desk's own
	}
	tr := newTrial(t, d, op, replay)
	steps := tr.steps()
	tr.check(&figures{}, op.name+", whole", false, false)
	tr.close()
	for i, step := range steps {
		tr := newTrial(t, d, op, replay)
		tr.offline(op.offline)
		if !tr.killed(tr.armed(killAt+"="+step, op.verb)) {
			t.Errorf("%s, %s: was not killed", op.name, step)
		}
		tr.offline("")
		total.add(func() {
			total.kills++
			if total.steps == nil {
				total.steps = map[string]bool{}
			}
			total.steps[op.name+": "+step] = true
		})
		where := fmt.Sprintf("%s, %s, killed at step %d, %s", op.name, replay, i+1, step)
		written := slices.Index(steps, secretWritten+"#0")
		answer := replay == "single" && slices.Index(steps, "refresh: noted#0") < i && i < slices.Index(steps, "refresh: saved#0")
		tr.check(total, where, op.links && i < written, answer)
		tr.close()
	}
}

// Operations are killed from outside, at any moment.
func TestKilledAtAnyTime(t *testing.T) {
	each := 1
	if os.Getenv(needs.Everything) != "" {
		each = 10
	}
	var total figures
	t.Run("desks", func(t *testing.T) {
		for _, d := range desks {
			t.Run(d.name, func(t *testing.T) {
				t.Parallel()
				desk := d.open(t)
				for _, op := range operations {
					killAtAnyTime(t, &total, desk, op, each)
				}
			})
		}
	})
	t.Logf("%v", &total)
}

func killAtAnyTime(t *testing.T, total *figures, d desk, op operation, times int) {
	t.Helper()
	if op.other && d.keyring == keyring.Plaintext {
		return
	}
	whole := time.Duration(0)
	for i := range times + 1 {
		tr := newTrial(t, d, op, "grace")
		tr.offline(op.offline)
		cmd := tr.armed("NOTHING=", op.verb)
		began := time.Now()
		if i == 0 {
			// How long it takes when nobody kills it.
			if out, err := finish(cmd); err != nil {
				t.Fatalf("%s: %v: %s", op.name, err, out)
			}
			whole = time.Since(began)
			tr.offline("")
			tr.check(&figures{}, op.name+", whole", false, false)
			tr.close()
			continue
		}
		after := rand.N(whole)
		ctx, cancel := context.WithTimeout(context.Background(), after)
		var out tally
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		stop()
		cancel()
		total.add(func() {
			if err == nil {
				total.late++
			} else {
				total.kills++
			}
		})
		if strings.Contains(out.String(), "error: ") {
			t.Errorf("%s: %s", op.name, out.String())
		}
		tr.offline("")
		tr.check(total, fmt.Sprintf("%s, killed after %v", op.name, after), op.links, false)
		tr.close()
	}
}
