package proof_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authring/authring/dropboxtest"
)

// link is one link that many processes use.
type link struct {
	server  *dropboxtest.Server
	program string
	args    []string
	environ []string
}

// command is a worker that does the verbs, one after the other.
func (l *link) command(verbs ...string) *exec.Cmd {
	args := append(slices.Clone(l.args), "-server", l.server.URL)
	cmd := exec.Command(l.program, append(args, verbs...)...)
	cmd.Env = l.environ
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// do runs a worker to its end.
func (l *link) do(tb testing.TB, verbs ...string) string {
	tb.Helper()
	out, err := finish(l.command(verbs...))
	if err != nil {
		tb.Fatalf("%s: %v: %s", verbs, err, out)
	}
	return out
}

// finish runs a command to its end, for two minutes at most.
func finish(cmd *exec.Cmd) (string, error) {
	var out tally
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	timer := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Wait()
	return out.String(), err
}

// hand is a process of a crew.
type hand struct {
	cmd   *exec.Cmd
	stdin io.Closer
	said  *tally
	done  chan struct{}
	err   error // once done
	slain bool
}

// crew are processes that hold one link.
type crew struct {
	tb    testing.TB
	link  *link
	hands []*hand
	// gone are the processes that were killed.
	gone []*hand

	once sync.Once
	// failed is closed when a process ends that was not told to.
	failed chan struct{}
}

func newCrew(tb testing.TB, l *link, size int) *crew {
	tb.Helper()
	c := &crew{tb: tb, link: l, failed: make(chan struct{})}
	tb.Cleanup(func() {
		for _, h := range c.hands {
			_ = h.cmd.Process.Kill()
			<-h.done
		}
	})
	for range size {
		c.hands = append(c.hands, c.start("hold"))
	}
	return c
}

func (c *crew) start(verb string) *hand {
	c.tb.Helper()
	h := &hand{cmd: c.link.command(verb), said: &tally{}, done: make(chan struct{})}
	h.cmd.Stdout, h.cmd.Stderr = h.said, h.said
	stdin, err := h.cmd.StdinPipe()
	if err != nil {
		c.tb.Fatal(err)
	}
	h.stdin = stdin
	if err := h.cmd.Start(); err != nil {
		c.tb.Fatal(err)
	}
	go func() {
		defer close(h.done)
		h.err = h.cmd.Wait()
		if strings.Contains(h.said.String(), "error: ") {
			c.once.Do(func() { close(c.failed) })
		}
	}()
	return h
}

// replaceOne kills a process at random and starts another.
func (c *crew) replaceOne() {
	c.tb.Helper()
	i := rand.N(len(c.hands))
	h := c.hands[i]
	h.slain = true
	_ = h.cmd.Process.Kill()
	<-h.done
	c.gone = append(c.gone, h)
	c.hands[i] = c.start("hold")
}

// stop tells all processes to end, and waits for them.
func (c *crew) stop() {
	c.tb.Helper()
	for _, h := range c.hands {
		_ = h.stdin.Close()
	}
	late := time.After(2 * time.Minute)
	for _, h := range c.hands {
		select {
		case <-h.done:
		case <-late:
			c.tb.Fatal("a process does not end")
		}
	}
}

// count adds up what the processes said, one word a line.
func (c *crew) count(word string) (n int) {
	for _, h := range slices.Concat(c.hands, c.gone) {
		n += strings.Count(h.said.String(), word+"\n")
	}
	return n
}

// complaints are the errors of the processes.
func (c *crew) complaints() (all []string) {
	for _, h := range slices.Concat(c.hands, c.gone) {
		for line := range strings.Lines(h.said.String()) {
			if strings.HasPrefix(line, "error: ") {
				all = append(all, strings.TrimSpace(line))
			}
		}
		var exit *exec.ExitError
		if !h.slain && h.err != nil && !errors.As(h.err, &exit) {
			all = append(all, h.err.Error())
		}
	}
	return all
}

// idle are the processes that were not killed and never had a valid token.
func (c *crew) idle() (n int) {
	for _, h := range c.hands {
		if !strings.Contains(h.said.String(), "valid\n") {
			n++
		}
	}
	return n
}
