package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/authring/authring/dropboxtest"
)

// bound is how long a test waits for what must happen.
const bound = 30 * time.Second

// terminal is a person's terminal with one program in it.
type terminal struct {
	t      *testing.T
	master *os.File
	slave  *os.File
	cmd    *exec.Cmd
	exited chan struct{}

	mu      sync.Mutex
	changed chan struct{} // closed when text grows, and replaced
	text    bytes.Buffer
	read    int // how much of text was looked at
}

// person is who sits before terminals: a home and a Dropbox.
type person struct {
	t       *testing.T
	home    string
	dropbox *dropboxtest.Server
	env     []string
}

func newPerson(t *testing.T) *person {
	p := &person{t: t, home: t.TempDir(), dropbox: dropboxtest.NewServer(dropboxtest.WithAutoApprove())}
	t.Cleanup(p.dropbox.Close)
	p.env = []string{
		quickEnd, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TERM=xterm", "HOME=" + p.home, "XDG_RUNTIME_DIR=" + p.home,
		"TMPDIR=" + p.home, "AUTHRING_DROPBOX_URL=" + p.dropbox.URL, "AUTHRING_AGENT=off",
	}
	return p
}

// run starts authring in a terminal of its own.
func (p *person) run(env []string, args ...string) *terminal {
	p.t.Helper()
	return p.runCommand(env, "authring", args...)
}

// runCommand starts a program in a terminal of its own.
func (p *person) runCommand(env []string, name string, args ...string) *terminal {
	p.t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		p.t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		p.t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	term := &terminal{
		t: p.t, master: master, slave: slave,
		exited: make(chan struct{}), changed: make(chan struct{}),
	}
	term.cmd = exec.Command(name, args...)
	term.cmd.Env = append(append([]string{}, p.env...), env...)
	term.cmd.Dir = p.home
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = slave, slave, slave
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := term.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go term.listen()
	go func() {
		_ = term.cmd.Wait()
		close(term.exited)
	}()
	p.t.Cleanup(func() {
		_ = term.cmd.Process.Kill()
		<-term.exited
		_ = slave.Close()
		_ = master.Close()
	})
	return term
}

func (term *terminal) listen() {
	buffer := make([]byte, 4096)
	for {
		n, err := term.master.Read(buffer)
		term.mu.Lock()
		term.text.Write(buffer[:n])
		close(term.changed)
		term.changed = make(chan struct{})
		term.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// expect waits until text is shown, after what was expected before, and
// returns all between.
func (term *terminal) expect(text string) string {
	term.t.Helper()
	deadline := time.After(bound)
	for {
		term.mu.Lock()
		rest := term.text.String()[term.read:]
		changed := term.changed
		at := strings.Index(rest, text)
		if at >= 0 {
			term.read += at + len(text)
		}
		term.mu.Unlock()
		if at >= 0 {
			return rest[:at+len(text)]
		}
		select {
		case <-changed:
		case <-deadline:
			term.t.Fatalf("%q was not shown; what was:\n%s", text, rest)
		}
	}
}

func (term *terminal) typeText(text string) {
	term.t.Helper()
	if _, err := term.master.WriteString(text); err != nil {
		term.t.Fatal(err)
	}
}

// all is everything that was shown.
func (term *terminal) all() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.text.String()
}

// end waits for the program and returns its exit code.
func (term *terminal) end() int {
	term.t.Helper()
	select {
	case <-term.exited:
	case <-time.After(bound):
		term.t.Fatalf("authring does not end; it showed:\n%s", term.all())
	}
	return term.cmd.ProcessState.ExitCode()
}

// modes are the settings of the terminal.
func (term *terminal) modes() unix.Termios {
	term.t.Helper()
	modes, err := unix.IoctlGetTermios(int(term.slave.Fd()), unix.TCGETS)
	if err != nil {
		term.t.Fatal(err)
	}
	return *modes
}

// approvePage opens the page that was shown last.
func approvePage(t *testing.T, shown string) string {
	t.Helper()
	pages := pageAddress.FindAllString(shown, -1)
	if len(pages) == 0 {
		t.Fatalf("no page in:\n%s", shown)
	}
	code, err := approve(pages[len(pages)-1])
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func (p *person) exists(path ...string) bool {
	_, err := os.Stat(filepath.Join(append([]string{p.home}, path...)...))
	return !errors.Is(err, os.ErrNotExist)
}
