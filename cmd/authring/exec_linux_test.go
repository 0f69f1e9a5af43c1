package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
	"github.com/authring/authring/internal/needs"
)

// ways are those in which a command is run: in place of authring, and with
// authring beside it.
var ways = map[string][]string{
	"replaced": {"exec", "--"},
	"served":   {"exec", "--proxy", "--"},
}

// A command in a terminal is in the foreground, gets what is typed, and one
// signal for each Ctrl-C.
func TestExecAtATerminal(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			p.link("--keyring", "plaintext")
			term := p.run(nil, append(way, "sh", "-c",
				`trap 'n=$((n+1)); echo "interrupt $n"' INT; echo "size $(stty size)"; while ! read line; do :; done; echo "read $line after $n"; exit 7`)...)
			term.expect("size ")
			term.typeText("\x03")
			term.expect("interrupt 1")
			term.typeText("\x03")
			term.expect("interrupt 2")
			term.typeText("a line\n")
			term.expect("read a line after 2")
			if code := term.end(); code != 7 {
				t.Errorf("exit code %d, want 7", code)
			}
		})
	}
}

// Ctrl-C ends a command that does nothing about it, and authring by the same
// signal, which tells a shell to stop its script.
func TestExecInterrupted(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			p.link("--keyring", "plaintext")
			term := p.run(nil, append(way, "sh", "-c", "echo ready; exec sleep 1000")...)
			term.expect("ready")
			term.typeText("\x03")
			term.end()
			if status, _ := term.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGINT {
				t.Errorf("ended with %v, want the signal interrupt", term.cmd.ProcessState)
			}
		})
	}
}

// What the terminal sends to the whole job is not passed on as well.
func TestExecOneSignalForOneKey(t *testing.T) {
	needs.Programs(t, "python3")
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			p.link("--keyring", "plaintext")
			term := p.run(nil, append(way, "python3", "-c", `
import signal
both = [signal.SIGINT, signal.SIGUSR1]
signal.pthread_sigmask(signal.SIG_BLOCK, both)
print("ready", flush=True)
print("interrupted by process", signal.sigwaitinfo([signal.SIGINT]).si_pid, flush=True)
signal.sigwaitinfo([signal.SIGUSR1])
print("pending", len(signal.sigpending()), "in the end", flush=True)`)...)
			term.expect("ready")
			term.typeText("\x03")
			term.expect("interrupted by process 0") // the system's own
			// Whatever is passed on comes in its order.
			if err := term.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			term.expect("pending 0 in the end")
			term.end()
		})
	}
}

// A shell stops and continues the command as any other job, also in a pipeline.
func TestExecIsAJob(t *testing.T) {
	needs.Programs(t, "bash")
	for name, way := range ways {
		for pipe, after := range map[string]string{"": "", ", in a pipeline": " | cat"} {
			t.Run(name+pipe, func(t *testing.T) {
				p := newPerson(t)
				p.link("--keyring", "plaintext")
				// The shell itself is run in place of authring.
				shell := p.run([]string{"PS1=prompt> "}, "exec", "--", "bash", "--norc", "--noprofile", "-i")
				shell.expect("prompt> ")
				shell.typeText("authring " + strings.Join(way, " ") + " sh -c 'echo $$ >pid; echo re\"\"ady; read a; echo got $a; read b; echo then $b; exit 5'" + after + "\n")
				shell.expect("ready")
				shell.typeText("one\n")
				shell.expect("got one")
				shell.typeText("\x1a")
				shell.expect("Stopped")
				shell.expect("prompt> ")
				p.awaitStopped("pid")
				shell.typeText("fg\n")
				shell.expect("authring")
				shell.typeText("two\n")
				shell.expect("then two")
				shell.expect("prompt> ")
				shell.typeText("echo status $?\n")
				if pipe == "" {
					shell.expect("status 5")
				} else {
					shell.expect("status 0") // that of the last in the pipeline
				}
				shell.typeText("exit 9\n")
				if code := shell.end(); code != 9 {
					t.Errorf("the shell ended with %d, want 9", code)
				}
			})
		}
	}
}

// awaitStopped waits until the process whose number is in a file does nothing.
// A shell's prompt tells only that authring has stopped: a command that has not
// yet been given a processor since would read what is typed next.
func (p *person) awaitStopped(file string) {
	p.t.Helper()
	pid, err := os.ReadFile(filepath.Join(p.home, file))
	if err != nil {
		p.t.Fatal(err)
	}
	awaitStop(p.t, strings.TrimSpace(string(pid)), true)
}

// awaitStop waits until the process is stopped, or is not.
func awaitStop(t *testing.T, pid string, stopped bool) {
	t.Helper()
	deadline := time.After(bound)
	for {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		// proc_pid_stat(5): the state follows the name, which is in brackets.
		if _, state, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(state, "T") == stopped {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("the process is not stopped, or still is: %s", stat)
		case <-time.After(time.Millisecond):
		}
	}
}

// A command that stops itself stops authring, so that the shell comes back.
func TestExecCommandStopsItself(t *testing.T) {
	needs.Programs(t, "bash")
	p := newPerson(t)
	p.link("--keyring", "plaintext")
	shell := p.run([]string{"PS1=prompt> "}, "exec", "--", "bash", "--norc", "--noprofile", "-i")
	shell.expect("prompt> ")
	shell.typeText("authring exec --proxy -- sh -c 'kill -STOP $$; echo \"went\" on'\n")
	shell.expect("Stopped")
	shell.expect("prompt> ")
	shell.typeText("fg\n")
	shell.expect("went on")
	shell.expect("prompt> ")
	shell.typeText("exit\n")
	shell.end()
}

// running is a command under authring without a terminal.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  *bufio.Reader
	ended  chan error
	stdout *os.File
}

// start runs authring; what the command prints is read by line and end.
func (p *person) start(args ...string) *running {
	p.t.Helper()
	return p.startAs(&syscall.SysProcAttr{Setsid: true}, args...) // no terminal
}

func (p *person) startAs(as *syscall.SysProcAttr, args ...string) *running {
	p.t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := read.SetDeadline(time.Now().Add(bound)); err != nil {
		p.t.Fatal(err)
	}
	r := &running{t: p.t, lines: bufio.NewReader(read), ended: make(chan error, 1), stdout: read}
	r.cmd = exec.Command("authring", args...)
	r.cmd.Env, r.cmd.Dir, r.cmd.Stdout, r.cmd.Stderr = p.env, p.home, write, os.Stderr
	r.cmd.SysProcAttr = as
	if err := r.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	_ = write.Close()
	go func() { r.ended <- r.cmd.Wait() }()
	p.t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		_ = read.Close()
	})
	return r
}

func (r *running) line() string {
	r.t.Helper()
	line, err := r.lines.ReadString('\n')
	if err != nil {
		r.t.Fatalf("no line, but %q: %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

func (r *running) signal(s syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// end waits for authring, and for everybody who could still print.
func (r *running) end() syscall.WaitStatus {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(bound):
		r.t.Fatal("authring does not end")
	}
	if _, err := io.Copy(io.Discard, r.lines); err != nil {
		r.t.Fatalf("the command is left behind: %v", err)
	}
	status, _ := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status
}

// Signals that are sent to authring reach the command, each once.
func TestExecPassesSignals(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			p.link("--keyring", "plaintext")
			script := "echo ready; "
			for _, s := range []string{"HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM"} {
				script = fmt.Sprintf("trap 'echo %s' %s; ", s, s) + script
			}
			r := p.start(append(way, "bash", "-c", script+"while :; do sleep 0.1; done")...)
			if got := r.line(); got != "ready" {
				t.Fatalf("the command says %q", got)
			}
			for s, want := range map[syscall.Signal]string{
				syscall.SIGHUP: "HUP", syscall.SIGINT: "INT", syscall.SIGQUIT: "QUIT", syscall.SIGTERM: "TERM",
				syscall.SIGUSR1: "USR1", syscall.SIGUSR2: "USR2", syscall.SIGALRM: "ALRM",
			} {
				r.signal(s)
				if got := r.line(); got != want {
					t.Errorf("%v reaches the command as %q", s, got)
				}
			}
			r.signal(syscall.SIGKILL)
			if status := r.end(); status.Signal() != syscall.SIGKILL {
				t.Errorf("ended with %v", status)
			}
		})
	}
}

// A signal to authring alone stops the command too, and one continues it; however
// close they follow each other, it does not stay stopped.
func TestExecIsStoppedByASignal(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			p.link("--keyring", "plaintext")
			// Not in a session of its own, where nobody could continue it: there
			// the system passes over the signal.
			group := &syscall.SysProcAttr{Setpgid: true}
			r := p.startAs(group, append(way, "sh", "-c", "echo $$; exec sleep 1000")...)
			command := r.line()
			for range 3 {
				r.signal(syscall.SIGTSTP)
				awaitStop(t, command, true)
				awaitStop(t, fmt.Sprint(r.cmd.Process.Pid), true)
				r.signal(syscall.SIGCONT)
				awaitStop(t, command, false)
			}
			for range 20 {
				r.signal(syscall.SIGTSTP)
				r.signal(syscall.SIGCONT)
			}
			r.signal(syscall.SIGTERM)
			if status := r.end(); status.Signal() != syscall.SIGTERM {
				t.Errorf("ended with %v", status)
			}
		})
	}
}

// The status of a command that handles a signal is its own.
func TestExecStatusAfterASignal(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			p.link("--keyring", "plaintext")
			r := p.start(append(way, "bash", "-c", `trap 'exit 42' TERM; echo ready; while :; do sleep 0.1; done`)...)
			r.line()
			r.signal(syscall.SIGTERM)
			if status := r.end(); status.ExitStatus() != 42 {
				t.Errorf("ended with %v, want exit status 42", status)
			}
		})
	}
}

// A command that a signal ends has authring ended by the same, without a word:
// also by those that crashes end with, of which Go's runtime has its own view.
func TestExecEndsBySignal(t *testing.T) {
	needs.Programs(t, "python3")
	p := newPerson(t)
	p.link("--keyring", "plaintext")
	for _, s := range []syscall.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS,
		syscall.SIGFPE, syscall.SIGKILL, syscall.SIGUSR1, syscall.SIGSEGV, syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGTERM,
		syscall.SIGSTKFLT, syscall.SIGXCPU, syscall.SIGSYS, 34, 64,
	} {
		for name, way := range ways {
			cmd := exec.Command("authring", append(way, "python3", "-c", `import os, signal, sys
s = int(sys.argv[1])
if s != signal.SIGKILL:
    signal.signal(s, signal.SIG_DFL)
os.kill(os.getpid(), s)`, fmt.Sprint(int(s)))...)
			cmd.Env, cmd.Dir = p.env, p.home
			out, _ := cmd.CombinedOutput()
			status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if !ok || status.Signal() != s || len(out) > 0 {
				t.Errorf("%s: a command that %v ended: authring ends with %v, and says %.100q", name, s, cmd.ProcessState, out)
			}
		}
	}
}

// However it ends, nothing is left: no file, no socket, no process.
func TestExecLeavesNothing(t *testing.T) {
	for name, end := range map[string]func(*running){
		"by itself":               func(*running) {},
		"by SIGTERM":              func(r *running) { r.signal(syscall.SIGTERM) },
		"by SIGHUP":               func(r *running) { r.signal(syscall.SIGHUP) },
		"by SIGINT":               func(r *running) { r.signal(syscall.SIGINT) },
		"by SIGKILL, to authring": func(r *running) { r.signal(syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPerson(t)
			p.link("--keyring", "plaintext")
			what := "exec sleep 1000"
			if name == "by itself" {
				what = "exit 0"
			}
			r := p.start("exec", "--socket", "--token-file", "--", "sh", "-c", `echo "$AUTHRING_TOKEN_FILE"; echo "$AUTHRING_SOCKET"; `+what)
			file, socket := r.line(), r.line()
			end(r)
			r.end()
			if strings.Contains(name, "KILL") {
				// Nobody was there to clean up: the next run does.
				p.want(0, "", "exec", "--", "true")
			}
			for _, path := range []string{file, socket, filepath.Dir(file)} {
				if _, err := os.Lstat(path); !os.IsNotExist(err) {
					t.Errorf("%s is left behind (%v)", path, err)
				}
			}
		})
	}
}

// A run does not remove the files of another that lives.
func TestExecBesideAnother(t *testing.T) {
	p := newPerson(t)
	p.link("--keyring", "plaintext")
	r := p.start("exec", "--token-file", "--", "sh", "-c", `echo "$AUTHRING_TOKEN_FILE"; exec sleep 1000`)
	file := r.line()
	p.want(0, "", "exec", "--token-file", "--", "true")
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the file of a command that runs is gone: %v", err)
	}
	r.signal(syscall.SIGTERM)
	r.end()
}

// The token file is replaced before its token ends.
func TestExecTokenFileStaysFresh(t *testing.T) {
	p := newPerson(t)
	server := dropboxtest.NewServer(dropboxtest.WithAutoApprove(), dropboxtest.WithAccessTokenTTL(10*time.Second))
	t.Cleanup(server.Close)
	p.env = append(p.env, "AUTHRING_DROPBOX_URL="+server.URL)
	p.link("--keyring", "plaintext")
	r := p.start("exec", "--token-file", "--", "sh", "-c", `
		ask() { curl -s -o /dev/null -w '%{http_code}\n' -X POST -H "Authorization: Bearer $1" -H Content-Type:application/json -d null "$AUTHRING_DROPBOX_URL/2/users/get_current_account"; }
		was=$(cat "$AUTHRING_TOKEN_FILE")
		while now=$(cat "$AUTHRING_TOKEN_FILE"); [ "$now" = "$was" ]; do sleep 0.1; done
		ask "$was"; ask "$now"`)
	for i := range 2 {
		if got := r.line(); got != "200" {
			t.Errorf("answer %d: %s, want 200: a token must be replaced while it is good", i, got)
		}
	}
	r.end()
}

// A proxy goes on until it is interrupted, which is a success; its address is
// of no use afterwards.
func TestProxyVerb(t *testing.T) {
	p := newPerson(t)
	p.link("--keyring", "plaintext")
	r := p.start("proxy")
	address, ok := strings.CutPrefix(r.line(), "AUTHRING_PROXY=http://127.0.0.1:")
	if !ok {
		t.Fatalf("the address is %q", address)
	}
	ask := func() string {
		out, _ := exec.Command("curl", "-s", "--max-time", "30", "-X", "POST", "-H", "Content-Type: application/json", "-d", "null",
			"http://127.0.0.1:"+address+"/2/users/get_current_account").Output()
		return string(out)
	}
	if got := ask(); !strings.Contains(got, "ada@example.org") {
		t.Errorf("the answer is %q", got)
	}
	// A token that ended meanwhile is renewed.
	p.dropbox.ExpireAccessTokens()
	if got := ask(); !strings.Contains(got, "ada@example.org") {
		t.Errorf("after the token has expired the answer is %q", got)
	}
	r.signal(syscall.SIGINT)
	if status := r.end(); status.ExitStatus() != 0 {
		t.Errorf("ended with %v", status)
	}
	if got := ask(); got != "" {
		t.Errorf("after its end the answer is %q", got)
	}
	// A link that is gone is told to callers at once, in the words of the tool,
	// though its token is still good.
	r = p.start("proxy")
	address, _ = strings.CutPrefix(r.line(), "AUTHRING_PROXY=http://127.0.0.1:")
	p.want(0, "", "unlink", "--yes", "--local-only")
	if got := ask(); !strings.Contains(got, `"error":"not-linked"`) || strings.Contains(got, "ada@example.org") {
		t.Errorf("after an unlink the answer is %q", got)
	}
	p.link("--keyring", "plaintext")
	if got := ask(); !strings.Contains(got, "ada@example.org") {
		t.Errorf("linked again, the answer is %q", got)
	}
	// A grant that has ended is not asked for again and again.
	p.dropbox.Revoke(p.dropbox.User().AccountID)
	p.dropbox.ResetRequests()
	for range 10 {
		if got := ask(); !strings.Contains(got, `"error`) {
			t.Errorf("after the grant has ended the answer is %q", got)
		}
	}
	asked := 0
	for _, request := range p.dropbox.Requests() {
		if request.Path == "/oauth2/token" {
			asked++
		}
	}
	if asked > 2 { // once more, to be sure
		t.Errorf("the provider was asked %d times for a token of a grant that has ended", asked)
	}
}
