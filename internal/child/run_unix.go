//go:build unix

package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Replace makes this process the command. It returns only if that failed, or if
// ctx has ended, as by a signal, whose error it then returns. Nothing of this
// program is left: signals, terminal and status are the command's own. What this
// program has opened is closed on the way. release ends the signals' part in
// ctx, which is told of all that came by the time it returns.
func Replace(ctx context.Context, c Command, release func()) error {
	// A signal must not be lost with the memory that remembers it. One that was
	// ignored when this program began stays so.
	late := make(chan os.Signal, 1)
	signal.Notify(late, c.atReplacing()...)
	release()
	signal.Stop(late)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case s := <-late:
		if s, ok := s.(syscall.Signal); ok {
			Die(s)
		}
	default:
	}
	err := syscall.Exec(c.Path, c.Args, c.Env)
	if script, ok := c.script(err); ok {
		err = syscall.Exec(script.Path, script.Args, c.Env)
	}
	return &startError{err}
}

// atReplacing are the signals that end a program, but for those that are ignored.
func (c Command) atReplacing() []os.Signal {
	all := []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM}
	return slices.DeleteFunc(all, func(s os.Signal) bool { return slices.Contains(c.Ignored, s) })
}

// start starts the command beside this process.
func start(c Command) (*os.Process, error) {
	return os.StartProcess(c.Path, c.Args, &os.ProcAttr{
		Env: c.Env, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: attributes(),
	})
}

// passed are the signals that are passed on. SIGTSTP is one: this process stops
// when the command has, and not if that passes over it. Those that stop a process
// which uses the terminal are not: the command gets its own.
var passed = []os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGTSTP,
	syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGWINCH, syscall.SIGCONT,
}

// Ignored returns the signals that are ignored, as SIGHUP is under nohup, and
// SIGINT in the background of a script. It is for the start of a program, before
// anything asks to be notified of them, which ends that. Of others than these Go's
// runtime does not tell, or has put a handler in the place of that.
func Ignored() []os.Signal {
	return slices.DeleteFunc([]os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTSTP}, func(s os.Signal) bool {
		return !signal.Ignored(s) && !isIgnored(s)
	})
}

// Run runs the command and waits for its end. It stays in this process's group,
// so that a terminal, a pipeline and a shell treat both as the one job that they
// are; signals that are sent to this process are passed on. Where the system can
// do that, the command is killed if this process is. It is not started once ctx
// has ended, as by a signal; later that changes nothing.
func Run(ctx context.Context, c Command) (Status, error) {
	got := newInbox(passed)
	defer got.close()
	if len(c.Ignored) > 0 {
		signal.Ignore(c.Ignored...) // which the command inherits
	}
	if ctx.Err() != nil {
		return Status{}, context.Cause(ctx)
	}

	started := make(chan *os.Process, 1)
	failed := make(chan error, 1)
	states := make(chan unix.WaitStatus)
	go func() {
		// What the system takes for the parent's death is the death of the
		// thread that started the command. This one lives as long as it.
		runtime.LockOSThread()
		process, err := start(c)
		if script, ok := c.script(err); ok {
			process, err = start(script)
		}
		if err != nil {
			failed <- err
			return
		}
		started <- process
		for {
			var state unix.WaitStatus
			_, err := unix.Wait4(process.Pid, &state, unix.WUNTRACED, nil)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil {
				failed <- err
				return
			}
			states <- state
			if !state.Stopped() {
				return
			}
		}
	}()
	var process *os.Process
	select {
	case err := <-failed:
		return Status{}, &startError{err}
	case process = <-started:
	}
	for {
		select {
		case err := <-failed:
			return Status{}, fmt.Errorf("could not wait for the command: %w", err)
		case <-got.came:
			pass(got.take(), process)
		case state := <-states:
			if state.Stopped() {
				var known bool
				if state, known = settled(process.Pid, state); !known {
					continue // the next state says how it ended
				}
			}
			switch {
			case state.Stopped():
				// So does this process, or the shell would wait on, unless it was
				// continued meanwhile. It is continued with the whole job, and
				// passes that on.
				meanwhile := got.take()
				pass(meanwhile, process)
				if !slices.Contains(meanwhile, os.Signal(syscall.SIGCONT)) {
					_ = unix.Kill(os.Getpid(), unix.SIGSTOP)
				}
			case state.Continued():
			case state.Signaled():
				return Status{Signal: state.Signal()}, nil
			default:
				return Status{Code: state.ExitStatus()}, nil
			}
		}
	}
}

// pass passes signals on to the command.
func pass(signals []os.Signal, command *os.Process) {
	for _, s := range signals {
		if !terminalSent(s, command.Pid) {
			_ = command.Signal(s) // it may have ended just now, which is no error
		}
	}
}

// settle is how long whoever stops this process may take for that, once the
// command has stopped.
const settle = 20 * time.Millisecond

// settled is what has become of a command that had stopped. SIGSTOP to the group
// stops both, perhaps this process before it could do anything about it; and it
// is then continued with a command that is, too, a moment before or after. To
// stop once more then would leave the shell with a job that does not go on. It is
// not known of a command that has ended since.
func settled(command int, state unix.WaitStatus) (now unix.WaitStatus, known bool) {
	for range 100 {
		before := time.Now()
		time.Sleep(settle)
		switch pid, err := unix.Wait4(command, &now, unix.WCONTINUED|unix.WNOHANG, nil); {
		case errors.Is(err, unix.ECHILD):
			return 0, false
		case err == nil && pid == command:
			return now, true
		}
		if time.Since(before) < 2*settle {
			break // this process was not stopped meanwhile
		}
	}
	return state, true
}

// terminalSent reports whether a signal came from the terminal, which sends it
// to all of the job: the command has it already. The system does not tell a
// program in Go who sent a signal, and so one that somebody sends to this
// process alone, while the job has the terminal, is taken for the terminal's.
func terminalSent(s os.Signal, command int) bool {
	switch s {
	case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGWINCH:
	default:
		return false
	}
	if group, err := unix.Getpgid(command); err != nil || group != unix.Getpgrp() {
		return false
	}
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer func() { _ = terminal.Close() }()
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// dieBound is how long a signal may take to end this process.
const dieBound = time.Second

// Die ends this process by the signal that ended the command, so that whoever
// waits sees the same. It returns only if the signal cannot end this process.
func Die(s syscall.Signal) {
	// A dump of the command's memory may be wanted, one of ours is not.
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	signal.Reset(s)
	if byDefault(s) && unix.Kill(os.Getpid(), s) == nil {
		<-time.After(dieBound)
	}
}
