package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authring/authring/internal/daemontest"
)

// The demo leaves nothing behind, wherever it is interrupted.
func TestInterruptedDemo(t *testing.T) {
	for _, at := range []string{"This is authring", "1. Link", "2. The secret", "3. Hand out", "6. Unlink"} {
		t.Run(at, func(t *testing.T) {
			p, desk := onDesk(t)
			daemontest.StartGNOME(t, desk)
			p.env = append(p.env, "TMPDIR="+p.home)
			before := filesIn(t, p.home)
			term := p.run(nil, "demo")
			term.expect(at)
			term.typeText("\x03")
			if got := term.end(); got != 130 && got != 0 { // 0: it was done already
				t.Errorf("exit code %d; shown:\n%s", got, term.all())
			}
			checkNothingLeft(t, p, desk, before)
		})
	}
}

// Nor when nobody reads its story to the end.
func TestDemoIntoAClosedPipe(t *testing.T) {
	p, desk := onDesk(t)
	daemontest.StartGNOME(t, desk)
	p.env = append(p.env, "TMPDIR="+p.home)
	before := filesIn(t, p.home)
	cmd := exec.Command("authring", "demo")
	cmd.Env, cmd.Dir = p.env, p.home
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	_ = out.Close()
	_ = cmd.Wait() // it may have been done before the pipe was closed
	checkNothingLeft(t, p, desk, before)
}

func checkNothingLeft(t *testing.T, p *person, desk *daemontest.Desk, before string) {
	t.Helper()
	if after := filesIn(t, p.home); after != before {
		t.Errorf("files before:\n%s\nand after:\n%s", before, after)
	}
	if found, _ := desk.Command("secret-tool", "search", "--all", "service", "authring-demo").Output(); len(found) > 0 {
		t.Errorf("left in the keyring:\n%s", found)
	}
}

// filesIn lists the files below a home, but not those of the keyring daemon.
func filesIn(t *testing.T, home string) string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(home, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !strings.Contains(path, "keyrings") {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(files, "\n")
}
