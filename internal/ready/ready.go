// Package ready starts programs for tests, and goes on when they say that they
// are ready.
package ready

import (
	"bufio"
	"io"
	"os/exec"
	"testing"
)

// Start starts cmd and waits until its first line is the word; any other ends
// the test. Closing what is returned ends the program's input, as the end of
// the test does at the latest, which then waits for the program.
func Start(tb testing.TB, cmd *exec.Cmd, word string) io.Closer {
	tb.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != word+"\n" {
		tb.Fatalf("%s said %q, %v; want %q", cmd.Path, line, err, word)
	}
	return in
}
