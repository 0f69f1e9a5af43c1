package child

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// Replace fails here: no process can become another program.
func Replace(context.Context, Command, func()) error { return errors.ErrUnsupported }

// Ignored returns no signal: a program here does not inherit that one is ignored.
func Ignored() []os.Signal { return nil }

// Run runs the command and waits for its end. The console sends Ctrl-C to the
// command itself. It is not started once ctx has ended.
func Run(ctx context.Context, c Command) (Status, error) {
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, os.Interrupt)
	defer signal.Stop(ignored)
	if ctx.Err() != nil {
		return Status{}, context.Cause(ctx)
	}
	cmd := &exec.Cmd{Path: c.Path, Args: c.Args, Env: c.Env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return Status{}, nil
	case errors.As(err, &ended):
		return Status{Code: ended.ExitCode()}, nil
	default:
		return Status{}, &startError{err}
	}
}

// Die does nothing here: there are no signals.
func Die(syscall.Signal) {}
