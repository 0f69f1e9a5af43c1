package harden_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/authring/authring/internal/harden"
	"github.com/authring/authring/internal/needs"
)

// The test binary is also the process that is hardened: it does what this
// variable says, tells of it, and waits until its standard input ends.
const role = "HARDEN_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "server":
		hold(harden.Server())
	case "memory":
		hold(harden.Memory())
	case "nothing":
		hold(harden.Done{})
	}
	os.Exit(m.Run())
}

func hold(d harden.Done) {
	// Much memory, and many threads, as a server has: nothing may fail.
	ballast := make([]byte, 64<<20)
	for i := 0; i < len(ballast); i += 4096 {
		ballast[i] = 1
	}
	out, err := exec.Command("grep", "-E", "NoNewPrivs|VmLck", "/proc/self/status").CombinedOutput()
	fmt.Printf("%v\n%s.\n", d, out)
	if err != nil {
		fmt.Println(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	fmt.Println(len(ballast))
	os.Exit(0)
}

// started runs the process as another user, so that no right of root's counts,
// and returns what it said first.
func started(t *testing.T, what string) (cmd *exec.Cmd, said string) {
	t.Helper()
	// Where the other user can start it.
	dir, err := os.MkdirTemp("", "harden")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), program)
	cmd.Env = []string{role + "=" + what, "PATH=" + os.Getenv("PATH")}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	said, err = bufio.NewReader(out).ReadString('.')
	if err != nil {
		t.Fatalf("it said %q, %v", said, err)
	}
	return cmd, said
}

// other is a user who is not root; nobody.
const other = 65534

// as runs a program as the same user as the process.
func as(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestTheSameUserCannotRead a process that is hardened, and can one that is
// not.
func TestTheSameUserCannotRead(t *testing.T) {
	needs.Programs(t, "gcore", "gdb")
	if !needs.Root(t) {
		return
	}
	for what, open := range map[string]bool{"nothing": true, "memory": false, "server": false} {
		t.Run(what, func(t *testing.T) {
			cmd, said := started(t, what)
			pid := strconv.Itoa(cmd.Process.Pid)
			if got := strings.HasPrefix(said, "not dumpable"); got == open {
				t.Errorf("it says %q", said)
			}
			dir := t.TempDir()
			for _, folder := range []string{dir, filepath.Dir(dir)} {
				if err := os.Chmod(folder, 0o777); err != nil {
					t.Fatal(err)
				}
			}
			for name, try := range map[string]func() (string, error){
				"its executable":  func() (string, error) { return as(t, "readlink", "/proc/"+pid+"/exe") },
				"its environment": func() (string, error) { return as(t, "cat", "/proc/"+pid+"/environ") },
				"its memory":      func() (string, error) { return as(t, "dd", "if=/proc/"+pid+"/mem", "of=/dev/null", "bs=1", "count=0") },
				"a core":          func() (string, error) { return as(t, "gcore", "-o", filepath.Join(dir, "core"), pid) },
				"a debugger": func() (string, error) {
					out, err := as(t, "gdb", "-batch", "-p", pid, "-ex", "info threads")
					if err == nil && !strings.Contains(out, "LWP") {
						err = fmt.Errorf("it shows no threads")
					}
					return out, err
				},
			} {
				if out, err := try(); (err == nil) != open {
					t.Errorf("%s: %v, %s", name, err, out)
				}
			}
			cores, err := filepath.Glob(filepath.Join(dir, "core*"))
			if err != nil || (len(cores) > 0) != open {
				t.Errorf("cores: %v, %v", cores, err)
			}
		})
	}
}

func TestServer(t *testing.T) {
	if !needs.Root(t) {
		return
	}
	cmd, said := started(t, "server")
	limits, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/limits")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said, "no core dumps") || !strings.Contains(strings.Join(strings.Fields(string(limits)), " "), "Max core file size 0 0 bytes") {
		t.Errorf("it says %q, and its limits are\n%s", said, limits)
	}
	// What its children have, whichever thread started them.
	if strings.Contains(said, "no new privileges") != strings.Contains(said, "NoNewPrivs:\t1") {
		t.Errorf("it says %q", said)
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	if locked := !strings.Contains(string(status), "VmLck:\t       0 kB"); locked != strings.Contains(said, "locked memory") {
		t.Errorf("it says %q, and its status is\n%s", said, status)
	}
}

func TestDoneIsTold(t *testing.T) {
	if got := (harden.Done{}).String(); got != "nothing" {
		t.Errorf("%q", got)
	}
	if got := (harden.Done{NotDumpable: true, Locked: true}).String(); got != "not dumpable, locked memory" {
		t.Errorf("%q", got)
	}
}
