package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// sample is one run of one program.
type sample struct {
	wall      time.Duration // from before the process is made until it has ended
	processor time.Duration // its own, in user and system mode
	daemon    time.Duration // the keyring daemon's, meanwhile
	peak      int64         // bytes of memory in use at most
}

// bench runs programs on a desk, beside a keyring daemon.
type bench struct {
	launcher string
	env      []string
	daemon   int // process of the keyring daemon
	warmups  int
	rounds   int
}

// compare runs all contenders once in each round, in an order that is drawn
// anew for each, and returns the samples by round. What disturbs the machine
// for a while disturbs all of them.
func (b *bench) compare(ctx context.Context, contenders []contender) (map[string][]sample, error) {
	samples := make(map[string][]sample, len(contenders))
	// The same order in each run of the benchmark.
	draw := rand.New(rand.NewPCG(1, 2))
	for round := -b.warmups; round < b.rounds; round++ {
		for _, i := range draw.Perm(len(contenders)) {
			c := contenders[i]
			s, err := b.once(ctx, c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if round >= 0 {
				samples[c.id] = append(samples[c.id], s)
			}
		}
	}
	return samples, nil
}

func (b *bench) once(ctx context.Context, c contender) (sample, error) {
	cmd := exec.CommandContext(ctx, b.launcher, c.command...)
	cmd.Env = b.env
	before, err := processTime(b.daemon)
	if err != nil {
		return sample{}, err
	}
	// A program that has nothing to complain about does not notice this pipe.
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return sample{}, fmt.Errorf("could not run it: %w %s", err, complaint.String())
	}
	after, err := processTime(b.daemon)
	if err != nil {
		return sample{}, err
	}
	var nanoseconds, user, system, kilobytes int64
	var status int
	if _, err := fmt.Sscan(string(out), &nanoseconds, &user, &system, &kilobytes, &status); err != nil {
		return sample{}, fmt.Errorf("the launcher printed %q: %w", out, err)
	}
	if status != 0 {
		return sample{}, fmt.Errorf("it ended with status %d: %s", status, strings.TrimSpace(complaint.String()))
	}
	return sample{
		wall:      time.Duration(nanoseconds),
		processor: time.Duration(user+system) * time.Microsecond,
		daemon:    after - before,
		peak:      kilobytes * 1024,
	}, nil
}

// processTime returns the processor time that all threads of a process have
// used so far.
func processTime(pid int) (time.Duration, error) {
	// Linux, include/linux/posix-timers_types.h: the clock of a process is
	// its number inverted, shifted by three bits, and the kind of clock;
	// CPUCLOCK_SCHED, 2, counts in nanoseconds.
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &t); err != nil {
		return 0, fmt.Errorf("could not read the clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}
