package policy_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/authring/authring/internal/needs"
	"github.com/authring/authring/internal/policy"
	"github.com/authring/authring/internal/ready"
)

// The test binary is also a process that waits until its standard input ends.
const role = "POLICY_TEST_WAIT"

func TestMain(m *testing.M) {
	if os.Getenv(role) != "" {
		os.Stdout.WriteString("ready\n")
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func alive() error { return nil }

// started runs a program that says ready, and ends with the test.
func started(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), role+"=yes")
	ready.Start(t, cmd, "ready")
	return cmd
}

// copied puts a shell somewhere else, where it is a program of its own.
func copied(t *testing.T, to string) {
	t.Helper()
	data, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	// Not over the old one: that is what an update does not do either.
	if err := os.WriteFile(to+".new", data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(to+".new", to); err != nil {
		t.Fatal(err)
	}
}

func identify(t *testing.T, pid int) policy.Process {
	t.Helper()
	p, err := policy.Identify(pid, "", alive)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const waits = "echo ready; read x"

func TestARunningProcess(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "backup")
	copied(t, path)
	g, file := gate(t, nil)
	sum, err := policy.Sum(path)
	if err != nil {
		t.Fatal(err)
	}
	add(t, file, policy.Rule{Effect: policy.Allow, Exe: path, SHA256: sum})
	cmd := started(t, path, "-c", waits)
	who := identify(t, cmd.Process.Pid)
	if who.Path != path || who.Foreign || who.Via != 0 {
		t.Errorf("it is %+v", who)
	}
	wantEffect(t, g, who, policy.Allow, "")
	other := started(t, "sh", "-c", waits)
	wantEffect(t, g, identify(t, other.Process.Pid), policy.Deny, "no rule fits")

	// A link to it is the same file, whatever its name.
	if err := os.Link(path, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	wantEffect(t, g, identify(t, started(t, filepath.Join(dir, "link"), "-c", waits).Process.Pid), policy.Allow, "")

	// An update takes its name: what runs is not what the rule means.
	copied(t, path)
	wantEffect(t, g, identify(t, cmd.Process.Pid), policy.Deny, "start it again")
	wantEffect(t, g, identify(t, started(t, path, "-c", waits).Process.Pid), policy.Allow, "")

	// A process that ended in the meantime is nobody.
	_, err = policy.Identify(cmd.Process.Pid, "", func() error { return errors.New("gone") })
	if !errors.Is(err, policy.ErrUnidentified) {
		t.Errorf("Identify of a process that ended = %v", err)
	}
}

// TestTheToolAsksForItsParent: a process that runs this very program, which
// here is the test.
func TestTheToolAsksForItsParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	needs.Programs(t, "pgrep")
	cmd := started(t, "sh", "-c", `"$0"; true`, self)
	children, err := exec.Command("pgrep", "-P", strconv.Itoa(cmd.Process.Pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil {
		t.Fatal(err)
	}
	who := identify(t, child)
	shell, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	if who.PID != cmd.Process.Pid || who.Path != shell || who.Via != child {
		t.Errorf("%d is %+v, want the shell %d", child, who, cmd.Process.Pid)
	}
}

// TestOtherMounts make a path mean something else.
func TestOtherMounts(t *testing.T) {
	needs.Programs(t, "unshare")
	if !needs.Root(t) {
		return
	}
	shell, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	g, file := gate(t, nil)
	add(t, file, policy.Rule{Effect: policy.Allow, Exe: shell})
	wantEffect(t, g, identify(t, started(t, "sh", "-c", waits).Process.Pid), policy.Allow, "")
	who := identify(t, started(t, "unshare", "--mount", shell, "-c", waits).Process.Pid)
	if !who.Foreign {
		t.Error("other mounts are not noticed")
	}
	wantEffect(t, g, who, policy.Deny, "other mounts")

	// There it is another program by the same name.
	cmd := started(t, "unshare", "--mount", "--propagation", "private", "sh", "-c",
		`mount --bind "$(readlink -f "$(command -v bash)")" "$0" && exec "$0" -c '`+waits+`'`, shell)
	wantEffect(t, g, identify(t, cmd.Process.Pid), policy.Deny, "other mounts")
}

func BenchmarkDecide(b *testing.B) {
	path := filepath.Join(b.TempDir(), "work.json")
	for _, rules := range []int{0, 1} {
		b.Run(strconv.Itoa(rules)+" rules", func(b *testing.B) {
			if rules > 0 {
				shell, err := filepath.EvalSymlinks("/bin/sh")
				if err != nil {
					b.Fatal(err)
				}
				_, err = policy.Update(b.Context(), path, path+".lock", func(p *policy.Policy) error {
					p.Add(policy.Rule{Effect: policy.Allow, Exe: shell}, false)
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			g := &policy.Gate{Path: func(string, string) (string, error) { return path, nil }}
			cmd := exec.CommandContext(b.Context(), "/bin/sh", "-c", "read x")
			in, err := cmd.StdinPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = in.Close(); _ = cmd.Wait() }()
			b.ReportAllocs()
			for b.Loop() {
				who, err := policy.Identify(cmd.Process.Pid, "", alive)
				if err != nil {
					b.Fatal(err)
				}
				g.Decide(b.Context(), "authring", "work", policy.Request{Who: who})
			}
		})
	}
}
