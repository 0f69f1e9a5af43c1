//go:build unix

package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// jobControl is what the keyboard and the shell do to a job (POSIX, General
// Terminal Interface), for a terminal in raw mode, in which the keyboard sends
// no signals. SIGTSTP itself is left alone: Go does not give a signal back its
// default action once it was asked for.
type jobControl struct{ continued chan os.Signal }

func watchJobs() *jobControl {
	j := &jobControl{continued: make(chan os.Signal, 1)}
	signal.Notify(j.continued, syscall.SIGCONT)
	return j
}

func (j *jobControl) stop() { signal.Stop(j.continued) }

// unstoppable is how long it takes to be sure that nothing was stopped: the
// system stops no group of which nobody is left to continue it.
const unstoppable = 500 * time.Millisecond

// suspend stops what the keyboard would, the whole job, until it is continued.
func (j *jobControl) suspend(ctx context.Context) {
	j.forget()
	if syscall.Kill(0, syscall.SIGTSTP) != nil {
		return
	}
	timer := time.NewTimer(unstoppable)
	defer timer.Stop()
	select {
	case <-j.continued:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// forget passes over that this process was continued.
func (j *jobControl) forget() {
	select {
	case <-j.continued:
	default:
	}
}
